//! As much of HTTP as a test needs: one request per connection, and every kind of bad manners.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|l| l.split_once(": "));
        lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    pub(crate) fn authorization(&self) -> &str {
        self.header("authorization").unwrap_or("-")
    }
}

/// What is sent.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<String>,
    parts: Vec<Vec<u8>>,
    /// Before each part but the first.
    pause: Duration,
    /// What it says that it has; without, the end of the connection is the end.
    length: Option<usize>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { status, headers: Vec::new(), length: Some(body.len()), parts: vec![body], pause: Duration::ZERO }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.headers.push(format!("{name}: {}\r\n", value.as_ref()));
        self
    }

    pub(crate) fn redirect(to: impl AsRef<str>) -> Self {
        Self::new(307, "").with("Location", to)
    }

    pub(crate) fn length(mut self, length: Option<usize>) -> Self {
        self.length = length;
        self
    }

    /// Waits before it sends each of the rest.
    pub(crate) fn then(mut self, pause: Duration, parts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.pause = pause;
        self.parts.extend(parts);
        self
    }

    fn send(self, to: &mut impl Write) -> std::io::Result<()> {
        let length = self.length.map_or_else(String::new, |n| format!("Content-Length: {n}\r\n"));
        write!(to, "HTTP/1.1 {} X\r\nConnection: close\r\n{length}{}\r\n", self.status, self.headers.concat())?;
        for (nth, part) in self.parts.iter().enumerate() {
            if nth > 0 {
                thread::sleep(self.pause);
            }
            to.write_all(part)?;
            to.flush()?;
        }
        Ok(())
    }
}

/// It answers until the program ends.
pub(crate) struct Server {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the other end of what is tested")]
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (log.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, answer) = (kept.clone(), answer.clone());
                thread::spawn(move || converse(stream, &kept, &*answer));
            }
        });
        Self { address, log }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn log(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// `GET /path <authorization>` of each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.log().iter().map(|r| format!("{} {} {}", r.method, r.path, r.authorization())).collect()
    }
}

fn converse(mut stream: impl Read + Write, log: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        // The beginning of TLS, which is not spoken here.
        if stream.read(&mut byte).unwrap_or(0) == 0 || head.is_empty() && byte == [0x16] {
            return;
        }
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let mut words = head.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut request = Request { method, path, head, body: String::new() };
    let length = request.header("content-length").map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    request.body = String::from_utf8(body).unwrap();
    log.lock().unwrap().push(request.clone());
    let mut reply = answer(&request);
    if request.method == "HEAD" {
        reply.parts.clear();
    }
    // A client that has enough closes the connection.
    let _ = reply.send(&mut stream);
}
