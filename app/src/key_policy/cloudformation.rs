//! The format `CloudFormation`: a template in YAML.

use super::{Access, quote::yaml, tree::Node};

/// The depth of the policy's members in the template.
const POLICY_DEPTH: usize = 4;

pub fn text(access: &Access) -> String {
    let description = yaml(&access.description());
    let region = yaml(&access.region);
    let wrong_region = yaml(&format!("The key must be in the region of the deployment: {}.", access.region));
    let mut policy = String::new();
    write(&mut policy, &access.policy(), POLICY_DEPTH);
    format!(
        "\
# A stack with a KMS key that a deployment of Keystead may use.
AWSTemplateFormatVersion: \"2010-09-09\"
Description: {description}
Rules:
  RegionOfTheDeployment:
    Assertions:
      - Assert: !Equals [!Ref \"AWS::Region\", {region}]
        AssertDescription: {wrong_region}
Resources:
  Key:
    Type: AWS::KMS::Key
    # Without the key nobody can read what it protects, so it outlives the stack.
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      Description: {description}
      KeyPolicy:{policy}
Outputs:
  KeyArn:
    Description: \"Enter this as KMS Key ARN in Keystead.\"
    Value: !GetAtt Key.Arn
"
    )
}

/// Writes `node` as the value of the member before it. What has members of its own goes to lines of their own.
fn write(out: &mut String, node: &Node, depth: usize) {
    match node {
        Node::Text(text) => {
            out.push(' ');
            out.push_str(&yaml(text));
        }
        Node::OfOwner { before, after } => {
            out.push_str(" !Sub ");
            out.push_str(&yaml(&format!("{before}${{AWS::AccountId}}{after}")));
        }
        Node::List(nodes) => {
            for node in nodes {
                out.push('\n');
                out.push_str(&"  ".repeat(depth));
                out.push('-');
                match node {
                    Node::Map(members) => write_map(out, members, depth + 1, " "),
                    node => write(out, node, depth + 1),
                }
            }
        }
        Node::Map(members) => {
            let margin = format!("\n{}", "  ".repeat(depth));
            write_map(out, members, depth, &margin);
        }
    }
}

/// `first` is what stands before the first member; the others begin a line.
fn write_map(out: &mut String, members: &[(&str, Node)], depth: usize, first: &str) {
    let margin = format!("\n{}", "  ".repeat(depth));
    for (place, (name, node)) in members.iter().enumerate() {
        out.push_str(if place == 0 { first } else { &margin });
        out.push_str(&key(name));
        out.push(':');
        write(out, node, depth + 1);
    }
}

/// A name as it is, if it is a plain word.
fn key(name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric()) { name.to_owned() } else { yaml(name) }
}
