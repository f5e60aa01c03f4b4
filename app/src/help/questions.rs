//! What security engineers ask.

use super::{
    Terms,
    prose::{aws, said},
};
use crate::{format, promises::ENDS_WITHIN_SECONDS};
use leptos::prelude::*;

/// A question, with an id that others can link to.
struct Question {
    id: &'static str,
    asked: &'static str,
    answer: &'static [&'static str],
}

#[rustfmt::skip]
const QUESTIONS: [Question; 15] = [
    Question { id: "cross-account", asked: "Can the key be in another AWS account than the servers?", answer: &[
        "Yes, that is the point. The key lives in your account, and its policy lets the role of this deployment use it. The operator's \
         own IAM policy must allow the same. An operator can limit which accounts may be used.",
    ] },
    Question { id: "other-region", asked: "Can the key be in another region, or in another partition of AWS?", answer: &[
        "No. It must be in the region of the deployment, so that no far-away outage can lock the data, and so that no request leaves \
         the region. The page refuses another one and names the region that is expected.",
    ] },
    Question { id: "multi-region", asked: "What about multi-Region keys?", answer: &[
        "They work. Use the ARN of the replica in the region of this deployment (its id begins with `mrk-`). Each replica has a \
         state and a policy of its own: disabling one in another region changes nothing here.",
    ] },
    Question { id: "aliases", asked: "Why is an alias not accepted?", answer: &[
        "An alias can be pointed at another key at any time. Then nothing that was stored before could be opened. The ARN of a key always \
         names the same key.",
    ] },
    Question { id: "imported", asked: "Can I import my own key material?", answer: &[
        "Yes. Data Encryption warns you, because imported material can expire, and then the data is locked until you import *the same* \
         material again. Keep a copy of it: AWS cannot give it back to you.",
    ] },
    Question { id: "key-store", asked: "Can the key be in a custom key store, or outside of AWS?", answer: &[
        "Yes, in AWS CloudHSM or in an external key store. When the store is disconnected, AWS refuses the key and the data is locked. \
         Mind that each key check is a request to your store.",
    ] },
    Question { id: "cloudtrail", asked: "What do I see in CloudTrail?", answer: &[
        "Each `Encrypt`, `Decrypt` and `DescribeKey`, with the role that made it. The encryption context says for what: `deployment`, \
         `scope` (the organization or the id of a workspace) and `data_key`. It holds ids only, never names or content.",
        "Calls across accounts are logged in both. A call that AWS denies for lack of permission is logged in the caller's account only.",
    ] },
    Question { id: "who-reads", asked: "Who at the provider can read our data?", answer: &[
        "While the key is enabled, the servers open data for people who are signed in and allowed to see it. Whoever controls a running \
         server, or could read its memory, could read what it opens. Storage, backups and database access alone are not enough: \
         what is stored there is encrypted, and plaintext data keys are only ever in memory.",
    ] },
    Question { id: "compromise", asked: "What if the provider is compromised?", answer: &[
        "Disable the key. {ends} after AWS refuses it, servers that run this program have wiped their data keys. Someone who has \
         changed the program could have kept keys they saw until then. CloudTrail shows what was unwrapped and when. What was copied in \
         the clear before cannot be recalled.",
        "Once the deployment can be trusted again, enable the key, delete it here, and activate a new one. Everything is then encrypted \
         under fresh data keys.",
    ] },
    Question { id: "one-workspace", asked: "Can I close a single workspace?", answer: &[
        "Yes. Deny the workspace's id in the key policy, as a condition on `kms:EncryptionContext:scope`. That workspace alone is \
         locked. An administrator can still delete it.",
    ] },
    Question { id: "logged", asked: "What does Keystead itself log?", answer: &[
        "Who activated and deleted a key, each lock and its end with AWS's answer and request id, and one line for each request with its \
         route, status and duration. Never content, names of files or workspaces, passwords or keys.",
    ] },
    Question { id: "test", asked: "How do I test that access really ends?", answer: &[
        "Begin a large download. Disable the key in AWS. The download breaks off, and every page of data says that your organization has \
         locked it. Data Encryption shows when AWS refused the key, when access ended, and on how many servers. Enable the key, and \
         everything is back.",
        "Do it at a quiet hour, since it stops everybody. Compare the request id with CloudTrail.",
    ] },
    Question { id: "aws-deletion", asked: "What does it mean to delete the key in AWS?", answer: &[
        "AWS waits for 7 to 30 days, as you choose. During that time the data is locked, and you can still cancel. Afterwards nobody can \
         read what is under the key, not you, not the provider, not AWS. Use that only to destroy the data. To stop using \
         the key, press *Delete Key* here first and let it finish.",
    ] },
    Question { id: "outage", asked: "What if AWS KMS has an outage?", answer: &[
        "No answer is not a refusal, so people go on working for {grace}. After that access ends, because nobody can know whether the key may \
         still be used. It comes back by itself.",
    ] },
    Question { id: "algorithms", asked: "How is the data encrypted?", answer: &[
        "Each record and each file with AES-256-GCM, under a key of its own that derives from the data key of its workspace. KMS wraps \
         the data keys. Each ciphertext is bound to its place, so a moved one does not open.",
    ] },
];

pub fn questions(terms: &Terms) -> AnyView {
    let ends = format::counted(ENDS_WITHIN_SECONDS, "second", "seconds");
    let grace = format::seconds(terms.outage_grace.as_secs());
    let filled = |text: &str| said(&text.replace("{ends}", &ends).replace("{grace}", &grace));
    let one = |question: &Question| {
        view! {
            <h3 id=question.id>{question.asked}</h3>
            {question.answer.iter().copied().map(filled).collect_view()}
        }
    };
    view! {
        {QUESTIONS.iter().map(one).collect_view()}
        <p>
            "More in the AWS manual: "
            {aws("https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html", "key states")} ", "
            {aws("https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html", "deleting keys")} ", "
            {aws("https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html", "CloudTrail")} "."
        </p>
    }
    .into_any()
}
