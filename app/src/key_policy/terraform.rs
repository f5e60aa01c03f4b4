//! The format *Terraform*. It also suits `OpenTofu`. The layout is that of `terraform fmt`.

use super::{Access, quote::hcl, tree::Node};
use std::fmt::Write;

pub fn text(access: &Access) -> String {
    let description = hcl(&access.description());
    let region = hcl(&access.region);
    let wrong_region = hcl(&format!("The key must be in the region of the deployment: {}.", access.region));
    let mut policy = String::new();
    expression(&mut policy, &access.policy(), 1);
    let owner = if access.owner.is_some() { "" } else { "data \"aws_caller_identity\" \"keystead\" {}\n\n" };
    format!(
        "\
# A KMS key that a deployment of Keystead may use.

{owner}data \"aws_region\" \"keystead\" {{}}

resource \"aws_kms_key\" \"keystead\" {{
  description = {description}
  policy = jsonencode({policy})

  lifecycle {{
    # Without the key nobody can read what it protects.
    prevent_destroy = true

    precondition {{
      condition     = data.aws_region.keystead.id == {region}
      error_message = {wrong_region}
    }}
  }}
}}

output \"keystead_key_arn\" {{
  description = \"Enter this as KMS Key ARN in Keystead.\"
  value       = aws_kms_key.keystead.arn
}}
"
    )
}

/// Writes `node` as an expression. `depth` is that of the line it begins on.
fn expression(out: &mut String, node: &Node, depth: usize) {
    match node {
        Node::Text(text) => out.push_str(&hcl(text)),
        Node::OfOwner { before, after } => {
            let (before, after) = (hcl(before), hcl(after));
            out.push_str(before.trim_end_matches('"'));
            out.push_str("${data.aws_caller_identity.keystead.account_id}");
            out.push_str(after.trim_start_matches('"'));
        }
        Node::List(nodes) => write_list(out, nodes, depth),
        Node::Map(members) => write_map(out, members, depth),
    }
}

fn write_list(out: &mut String, nodes: &[Node], depth: usize) {
    out.push('[');
    if nodes.iter().all(is_one_line) {
        for (place, node) in nodes.iter().enumerate() {
            out.push_str(if place == 0 { "" } else { ", " });
            expression(out, node, depth);
        }
    } else {
        for node in nodes {
            new_line(out, depth + 1);
            expression(out, node, depth + 1);
            out.push(',');
        }
        new_line(out, depth);
    }
    out.push(']');
}

fn write_map(out: &mut String, members: &[(&str, Node)], depth: usize) {
    out.push('{');
    let mut left = members;
    while let Some((first, others)) = left.split_first() {
        // Neighbours of one line each have their equals signs in one column.
        let alike = left.iter().take_while(|(_, node)| is_one_line(node)).count();
        let (together, after) = if alike == 0 { (std::slice::from_ref(first), others) } else { left.split_at(alike) };
        let width = together.iter().map(|(name, _)| key(name).len()).max().unwrap_or_default();
        for (name, node) in together {
            new_line(out, depth + 1);
            // Writing to a string cannot fail.
            _ = write!(out, "{:width$} = ", key(name));
            expression(out, node, depth + 1);
        }
        left = after;
    }
    new_line(out, depth);
    out.push('}');
}

/// A name as it is, if it is a plain word.
fn key(name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric()) { name.to_owned() } else { hcl(name) }
}

fn is_one_line(node: &Node) -> bool {
    match node {
        Node::Text(_) | Node::OfOwner { .. } => true,
        Node::List(nodes) => nodes.iter().all(|node| matches!(node, Node::Text(_))),
        Node::Map(_) => false,
    }
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}
