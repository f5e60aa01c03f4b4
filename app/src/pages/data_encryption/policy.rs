//! What the owner of a key needs so that this deployment may use the key: the permissions with their reasons, and the key
//! policy in four formats.
//!
//! What must stay true: what is copied, shown and downloaded is the same text. The formats are radio buttons, and the style
//! sheet shows the chosen one: choosing needs no script, and loses nothing that was typed on the page.

use crate::{
    components::form::CopyButton,
    key_policy::{Access, Format, PERMISSIONS, statements},
    model::identity::Deployment,
};
use leptos::prelude::*;

/// Everything, for a key that is to be used. `of_session`: the principal's ARN was made from that of a session of a role.
#[component]
pub fn Policy(place: Deployment, principal: Option<String>, of_session: bool) -> impl IntoView {
    let access = Access::of(&place, principal);
    view! {
        <Permissions/>
        <PrincipalNotice is_known=access.principal.is_some() of_session/>
        <div class="formats">
            <fieldset class="tabs">
                <legend class="visually-hidden">"Format of the key policy"</legend>
                {Format::ALL
                    .map(|format| {
                        view! {
                            <label>
                                <input
                                    type="radio"
                                    name="key-policy-format"
                                    value=format.word()
                                    checked=format == Format::Json
                                />
                                {format.label()}
                            </label>
                        }
                    })}
            </fieldset>
            {Format::ALL
                .map(|format| {
                    view! {
                        <div class="stack" role="group" aria-label=format.label() data-format=format.word()>
                            <p class="small soft">{format.purpose()}</p>
                            <Text text=access.text(format) format/>
                        </div>
                    }
                })}
        </div>
    }
}

/// The statements alone, for a key that is in use and must be allowed again.
#[component]
pub fn Statements(deployment: String, principal: Option<String>) -> impl IntoView {
    let text = statements(&deployment, principal.as_deref());
    view! {
        <PrincipalNotice is_known=principal.is_some() of_session=false/>
        <Text text format=Format::Json/>
    }
}

/// The text, with what can be done with it.
#[component]
fn Text(text: String, format: Format) -> impl IntoView {
    let copy = match format {
        Format::Json => "Copy key policy",
        Format::Cli => "Copy AWS CLI commands",
        Format::Terraform => "Copy Terraform configuration",
        Format::CloudFormation => "Copy CloudFormation template",
    };
    view! {
        <div class="code">
            <CopyButton label=copy text=text.clone()/>
            <pre tabindex="0">{text}</pre>
        </div>
        <p class="small">
            <a href=format.address()>"Download " {format.file_name()}</a>
        </p>
    }
}

#[component]
fn Permissions() -> impl IntoView {
    view! {
        <dl class="facts small">
            {PERMISSIONS
                .map(|permission| {
                    view! {
                        <dt>
                            <code>{permission.action}</code>
                        </dt>
                        <dd>{permission.reason}</dd>
                    }
                })}
        </dl>
    }
}

/// What is to be known about the principal before it is named in a policy.
#[component]
fn PrincipalNotice(is_known: bool, of_session: bool) -> impl IntoView {
    if !is_known {
        return view! {
            <p class="notice warn small">
                "The AWS principal of this deployment is not known here. Ask your operator for its ARN and put it in place of the words in angle brackets."
            </p>
        }
        .into_any();
    }
    let note = of_session.then(|| {
        view! {
            <p class="notice small">
                "AWS tells this deployment the name of its role, but not the role's path. If the role has a path, AWS does not accept the policy. Your operator then has to set "
                <code>"KEYSTEAD_AWS_PRINCIPAL_ARN"</code> "."
            </p>
        }
    });
    note.into_any()
}
