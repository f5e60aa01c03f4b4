//! One connection of the proxy: it reads a call, answers it as the rules say, and reads the next.

use super::{Act, Answered, Call, Operation, Shared};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};
use vault::{Clock, SystemClock, Zeroizing};

const JSON: &str = "application/x-amz-json-1.1";
const REQUEST_ID: &str = "x-amzn-requestid";
const OTHER_KEY: &str = "arn:aws:kms:us-west-1:000000000000:key/00000000-0000-4000-8000-000000000000";

/// A request, read to its end.
struct Request {
    method: String,
    path: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    body: Zeroizing<Vec<u8>>,
}

/// What goes back.
struct Reply {
    status: u16,
    kind: String,
    request_id: Option<String>,
    body: Zeroizing<Vec<u8>>,
    good: bool,
}

impl Reply {
    fn of_json(status: u16, request_id: String, body: &Value) -> Self {
        let body = Zeroizing::new(body.to_string().into_bytes());
        Self { status, kind: JSON.to_owned(), request_id: Some(request_id), body, good: false }
    }

    /// The code of an error, without the namespace that may stand before it.
    fn code(&self) -> Option<String> {
        if self.status < 400 {
            return None;
        }
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        Some(body["__type"].as_str()?.rsplit('#').next()?.to_owned())
    }
}

/// Serves one connection until either side has enough.
pub async fn serve(mut connection: TcpStream, shared: Arc<Shared>) {
    connection.set_nodelay(true).ok();
    let mut unread = Vec::new();
    while let Some(request) = read(&mut connection, &mut unread).await {
        let call = call(&request);
        let act = shared.act_for(&call);
        let (operation, blob) = (call.operation, call.blob.clone());
        let place = shared.arrived(call);
        match &act {
            Act::Hang => {
                // Until the caller closes the connection.
                while connection.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
                return;
            }
            Act::Reset => {
                connection.set_zero_linger().ok();
                return;
            }
            Act::Delay(time) => sleep(*time).await,
            Act::Wait(gate) => gate.passed().await,
            _ => {}
        }
        let Some(reply) = reply(&shared, &request, operation, blob, &act).await else { return };
        let answer = Answered {
            at: Instant::now(),
            at_ms: SystemClock.wall_ms(),
            status: reply.status,
            code: reply.code(),
            request_id: reply.request_id.clone(),
            good: reply.good,
        };
        shared.answered(place, answer);
        if write(&mut connection, &reply).await.is_err() {
            return;
        }
    }
}

async fn reply(
    shared: &Shared,
    request: &Request,
    operation: Operation,
    blob: Option<String>,
    act: &Act,
) -> Option<Reply> {
    match act {
        Act::Fail(status, code) => {
            let body = json!({ "__type": code, "message": "as the proxy was told" });
            return Some(Reply::of_json(*status, shared.request_id(), &body));
        }
        Act::Empty => return Some(Reply::of_json(200, shared.request_id(), &json!({}))),
        Act::Html(status) => {
            let body = Zeroizing::new(b"<!doctype html><title>Gateway</title><p>Something stands in between.".to_vec());
            return Some(Reply { status: *status, kind: "text/html".to_owned(), request_id: None, body, good: false });
        }
        _ => {}
    }
    let mut reply = forward(shared, request).await?;
    reply.good = reply.status == 200;
    if let (Operation::Decrypt, Some(blob)) = (operation, blob) {
        if reply.good {
            shared.good.lock().unwrap().insert(blob, reply.body.clone());
        } else if let (Act::Stale, Some(earlier)) = (act, shared.good.lock().unwrap().get(&blob)) {
            let (body, request_id) = (earlier.clone(), Some(shared.request_id()));
            return Some(Reply { status: 200, kind: JSON.to_owned(), request_id, body, good: true });
        }
    }
    falsify(&mut reply, act);
    Some(reply)
}

/// Asks the real KMS. `None` if it cannot be reached: then the connection ends too.
async fn forward(shared: &Shared, request: &Request) -> Option<Reply> {
    let method = reqwest::Method::from_bytes(request.method.as_bytes()).ok()?;
    let mut forwarded = shared.client.request(method, format!("{}{}", shared.upstream, request.path));
    for (name, value) in &request.headers {
        // The host is a part of what was signed.
        if !matches!(name.as_str(), "content-length" | "connection") {
            forwarded = forwarded.header(name, value);
        }
    }
    let answer = forwarded.body(request.body.to_vec()).send().await.ok()?;
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (kind, request_id) = (header("content-type").unwrap_or_default(), header(REQUEST_ID));
    let status = answer.status().as_u16();
    let body = Zeroizing::new(answer.bytes().await.ok()?.to_vec());
    Some(Reply { status, kind, request_id, body, good: false })
}

/// Changes a good answer as the rule says.
fn falsify(reply: &mut Reply, act: &Act) {
    if !reply.good || !matches!(act, Act::WrongKeyId | Act::WrongLength | Act::WrongPlaintext) {
        return;
    }
    let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
    if matches!(act, Act::WrongKeyId) {
        body["KeyId"] = OTHER_KEY.into();
    } else if let Some(plaintext) = body["Plaintext"].as_str() {
        let mut plaintext = Zeroizing::new(STANDARD.decode(plaintext).unwrap());
        if matches!(act, Act::WrongLength) {
            plaintext.pop();
        } else {
            plaintext[0] ^= 1;
        }
        body["Plaintext"] = STANDARD.encode(&*plaintext).into();
    }
    reply.body = Zeroizing::new(body.to_string().into_bytes());
    reply.good = false;
}

/// What the record keeps of a request.
fn call(request: &Request) -> Call {
    let target = request.headers.iter().find(|(name, _)| name == "x-amz-target");
    let operation = target.map_or(Operation::Other, |(_, target)| Operation::of_target(target));
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let context = body["EncryptionContext"].as_object().into_iter().flatten();
    let context: BTreeMap<_, _> =
        context.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    let is_signature =
        operation == Operation::Encrypt && context.get("purpose").is_some_and(|purpose| purpose == "audit");
    let operation = if is_signature { Operation::Sign } else { operation };
    Call {
        at: Instant::now(),
        at_ms: SystemClock.wall_ms(),
        operation,
        key_id: body["KeyId"].as_str().unwrap_or_default().to_owned(),
        context,
        blob: body["CiphertextBlob"].as_str().map(|blob| hex::encode(Sha256::digest(blob))),
        answer: None,
    }
}

/// Reads one request. `None` at the end of the connection.
async fn read(connection: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Request> {
    let end_of_head = loop {
        if let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if connection.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(unread[..end_of_head].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(Some(0), |(_, length)| length.parse().ok())?;
    let end = end_of_head + 4 + length;
    while unread.len() < end {
        if connection.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
    let body = Zeroizing::new(unread[end_of_head + 4..end].to_vec());
    unread.drain(..end);
    Some(Request { method, path, headers, body })
}

async fn write(connection: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    let id = reply.request_id.as_ref().map_or_else(String::new, |id| format!("{REQUEST_ID}: {id}\r\n"));
    let (status, kind, length) = (reply.status, &reply.kind, reply.body.len());
    let head = format!("HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\n{id}Content-Length: {length}\r\n\r\n");
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(&reply.body).await
}
