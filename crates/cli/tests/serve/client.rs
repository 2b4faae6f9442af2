//! An HTTP client with control over its connections.

use std::cell::RefCell;
use std::rc::Rc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// Opens connections to one server and records all replies.
#[derive(Clone)]
pub(crate) struct Client {
    runtime: Rc<Runtime>,
    authority: String,
    answers: Rc<RefCell<Vec<Answer>>>,
}

/// A complete reply: the line of its request, its headers and its body.
pub(crate) struct Answer {
    pub(crate) request: String,
    pub(crate) bytes: Vec<u8>,
}

/// One connection, which sends requests one after the other until the server closes it.
pub(crate) struct Connection {
    client: Client,
    sender: SendRequest<Full<Bytes>>,
}

/// A request.
pub(crate) struct Call {
    request: hyper::http::request::Builder,
    body: Bytes,
}

/// A reply with its complete body.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) fn new(authority: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime: Rc::new(runtime), authority: authority.to_owned(), answers: Rc::default() }
    }

    pub(crate) fn connect(&self) -> Connection {
        let sender = self.runtime.block_on(async {
            let stream = TcpStream::connect(&self.authority).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        Connection { client: self.clone(), sender }
    }

    /// Sends a request on its own connection and returns the reply.
    pub(crate) fn call(&self, call: Call) -> Reply {
        self.connect().call(call)
    }

    /// Returns all replies since the last call.
    pub(crate) fn take_answers(&self) -> Vec<Answer> {
        self.answers.take()
    }
}

impl Connection {
    pub(crate) fn call(&mut self, call: Call) -> Reply {
        let mut body = Vec::new();
        let (line, status, headers) = self.stream(call, |part| body.extend_from_slice(part));
        let bytes = [format!("{status} {headers:?}\n").as_bytes(), &body].concat();
        let answer = Answer { request: line, bytes };
        self.client.answers.borrow_mut().push(answer);
        Reply { status, headers, body: body.into() }
    }

    /// Passes the body to the callback part by part without keeping it. Returns the line of the
    /// request, the status and the headers.
    pub(crate) fn stream(
        &mut self,
        call: Call,
        mut part: impl FnMut(&[u8]),
    ) -> (String, u16, HeaderMap) {
        let has_host = call.request.headers_ref().is_some_and(|headers| headers.contains_key(HOST));
        let request =
            if has_host { call.request } else { call.request.header(HOST, &self.client.authority) };
        let request = request.body(Full::new(call.body)).unwrap();
        let line = format!("{} {}", request.method(), request.uri());
        self.client.runtime.block_on(async {
            self.sender.ready().await.unwrap();
            let mut reply: Response<Incoming> = self.sender.send_request(request).await.unwrap();
            while let Some(frame) = reply.frame().await {
                if let Ok(data) = frame.unwrap().into_data() {
                    part(&data);
                }
            }
            (line, reply.status().as_u16(), reply.headers().clone())
        })
    }
}

impl Call {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        Self { request: Request::builder().method(method).uri(path), body: Bytes::new() }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &str, body: &Value) -> Self {
        Self::new(Method::POST, path).json(body)
    }

    pub(crate) fn patch(path: &str, body: &Value) -> Self {
        Self::new(Method::PATCH, path).json(body)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Token {token}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into();
        self.header(CONTENT_TYPE.as_str(), "application/json")
    }
}

impl Reply {
    /// Asserts the status and returns the body.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        match self.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_str(&text).unwrap(),
        }
    }

    /// Asserts a refusal with this status and message.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, message: &str) {
        assert_eq!(self.expect(status)["message"], message);
    }
}
