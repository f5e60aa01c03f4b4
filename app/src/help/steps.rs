//! What people do with a key, step by step. The labels are those of the pages, letter for letter.

use super::{
    Terms,
    prose::{all_said, aws, items, said},
};
use crate::{
    format,
    promises::{ENDS_WITHIN_SECONDS, RETURNS_WITHIN_SECONDS},
    sections::Section,
};
use leptos::prelude::*;

fn to(section: Section, words: &'static str) -> AnyView {
    let href = ["#", section.id()].concat();
    view! { <a href=href>{words}</a> }.into_any()
}

pub fn what() -> AnyView {
    all_said([
        "Without a key of yours, the provider's AWS KMS key protects the data: the *provider key*.",
        "A *customer managed key* is a KMS key in an AWS account of your organization. Once it is active, nothing that is stored \
         here can be opened without it. You see each use of it in AWS CloudTrail, and you can end its use there.",
        "A deployment has at most one customer managed key. When you delete it from Keystead, the provider key takes its place.",
    ])
    .into_any()
}

pub fn prerequisites() -> AnyView {
    let list = items([
        "The role *Administrator* in Keystead. Members can look at the page and change nothing.",
        "An AWS account of your organization in which you may create KMS keys and edit their policies.",
        "A *symmetric* key for encryption and decryption (`SYMMETRIC_DEFAULT`, `ENCRYPT_DECRYPT`) that is enabled.",
        "The key in the *same AWS region* as this deployment. The page Data Encryption names it.",
        "A key policy that lets this deployment use the key. The page has it ready to copy.",
    ]);
    view! {
        <ul>{list}</ul>
    }
    .into_any()
}

pub fn create() -> AnyView {
    let list = items([
        "Open *Data Encryption* in Keystead. It shows the region, and the policy ready to copy with the names of this deployment in it.",
        "In AWS, create a symmetric KMS key in that region.",
        "Put the policy on the key. It allows three actions: `kms:Encrypt` and `kms:Decrypt`, both only for this deployment, and \
         `kms:DescribeKey`. No other is needed.",
        "Copy the ARN of the key. It ends with `key/` and the id. The ARN of an alias is not accepted.",
    ]);
    view! {
        <ol>{list}</ol>
        {said("Whoever operates the deployment can print the same policy with `keystead key-policy`.")}
        <p>
            "In the AWS manual: "
            {aws("https://docs.aws.amazon.com/kms/latest/developerguide/create-keys.html", "creating keys")} " and "
            {aws(
                "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html",
                "letting another account use a key",
            )} "."
        </p>
    }
    .into_any()
}

/// The way to the page, which both procedures begin with.
const WAY: [&str; 3] = [
    "*Sign in* as an administrator. You see Workspaces.",
    "Choose the *Settings icon* in the lower left corner. You see Organization Settings.",
    "Choose *Data Encryption*.",
];

pub fn activate() -> AnyView {
    let list = items(WAY.into_iter().chain([
        "Enter the ARN of your key in the field *KMS Key ARN*. You find it in the AWS console, on the page of the key.",
        "If you like, press *Test Key* first. It tries everything and changes nothing.",
        "Press *Activate Key*. There is no second question: the ARN is the confirmation.",
    ]));
    view! {
        <ol>{list}</ol>
        {said(
            "If something is not right, nothing has been changed, and the page says which part it is and what to do. \
             AWS may need some minutes until a new policy is in force everywhere.",
        )}
    }
    .into_any()
}

pub fn after() -> AnyView {
    all_said([
        "*First your key takes control.* This takes seconds. From then on the provider key opens nothing that is stored here.",
        "*Then all data is encrypted anew*, with fresh data keys under your key. People go on working meanwhile. \
         The page shows how far it is and about how long it will still take.",
        "It can be paused and resumed. If a server stops in the middle, another goes on, and nothing is lost. At every moment each \
         record can be read with exactly one key that is known.",
        "At the end the old data keys are destroyed. You can keep a report of what was done, with the ids of the requests in \
         CloudTrail. An item that was damaged before is set aside and named, and the rest goes on.",
    ])
    .into_any()
}

pub fn disable(terms: &Terms) -> AnyView {
    let [ends, returns] =
        [ENDS_WITHIN_SECONDS, RETURNS_WITHIN_SECONDS].map(|seconds| format::counted(seconds, "second", "seconds"));
    let check = format::seconds(terms.key_check.as_secs());
    let urgent = format::seconds(terms.urgent_check.as_secs());
    let window = format::seconds(terms.refusal_window.as_secs());
    let off = format!(
        "*To take access away*, disable the key in the AWS console, or with `aws kms disable-key`. Access ends within {ends} \
         after AWS refuses the key, on every server. Open downloads break off.",
    );
    let how = format!(
        "Each server asks AWS every {check} whether it may still use the key, and every {urgent} once AWS has refused it. The \
         second refusal within {window} ends access, so that a single wrong answer does not.",
    );
    let on = format!(
        "*To give access back*, enable the key. Everything returns within {returns} after AWS accepts the key again, by itself, \
         and nothing is lost.",
    );
    view! {
        {all_said([off.as_str(), how.as_str()])}
        {said(
            "While the data is locked, people can still sign in and read the settings. They see who has locked the data, and since \
             when. Data Encryption shows AWS's own answer, with the id of the request.",
        )} {said(&on)}
        {said(
            "AWS itself may take a moment, rarely some minutes, until a change of the key is known everywhere in AWS. The times \
             here begin when AWS gives the new answer.",
        )} <p>"Taking the permission out of the key policy has the same effect. See " {to(Section::States, "all states")} "."</p>
    }
    .into_any()
}

pub fn delete() -> AnyView {
    let list = items(WAY.into_iter().chain([
        "Enter the ARN of the active key in the field *KMS Key ARN*, so that no key is deleted by mistake.",
        "Press *Delete Key*.",
    ]));
    view! {
        <ol>{list}</ol>
        {all_said([
            "The provider key takes control within seconds, and all data is then encrypted anew under it. From the first of these \
             moments on, your key is not needed any more.",
            "*Your key in AWS is not touched.* Keystead cannot delete, disable or change it. Keep it if there are backups from its time.",
            "Deleting works at any time while the key can be used, also while it is still being activated. It does not work with a key that \
             is disabled: to move the data away, Keystead has to open it first.",
        ])}
    }
    .into_any()
}

pub fn replace() -> AnyView {
    view! {
        {said("There is one key at a time. To change it, delete the old one here, then activate the new one.")}
        <ol>
            <li>
                {to(Section::Delete, "Delete the old key")} ", and wait until the page says " <strong>"Complete"</strong> "."
            </li>
            <li>{to(Section::Activate, "Activate the new key")} "."</li>
        </ol>
        {said("Between the two the provider key protects the data. It is encrypted at every moment.")}
    }
    .into_any()
}

pub fn rotate() -> AnyView {
    all_said([
        "There is nothing to do. When AWS rotates the material of a key, on a schedule or on demand, the ARN stays the same and \
         what was encrypted before still opens.",
        "Rotation in AWS does not encrypt the stored data anew. To have that done, replace the key.",
    ])
    .into_any()
}
