//! Drives one Chromium for all tests, through tests/browser/browser.mjs. Each page has a separate profile.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The longest wait for one command, on a machine that also runs everything else.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(240);
/// The longest wait for something that the page must show.
const DEADLINE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(100);

/// The widths of a phone and of a desktop.
const WIDTHS: [u32; 2] = [360, 1440];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// How a page is displayed.
#[derive(Clone, Copy)]
pub struct Look {
    pub width: u32,
    pub scheme: &'static str,
    /// Whether scripts may run.
    pub script: bool,
}

pub const DESKTOP: Look = Look { width: 1440, scheme: "light", script: true };

/// An open page. Its requests and errors are checked when it is closed.
pub struct Page {
    number: u64,
    origin: String,
    open: bool,
}

/// The process of tests/browser/browser.mjs, which ends with this one.
struct Browser {
    input: Mutex<ChildStdin>,
    answers: Answers,
    last: AtomicU64,
}

/// The receivers of answers, by the number of the request. `None` after the browser has ended.
type Answers = Arc<Mutex<Option<HashMap<u64, Sender<Value>>>>>;

static BROWSER: LazyLock<Browser> = LazyLock::new(Browser::start);

impl Browser {
    fn start() -> Self {
        let modules = target().join("tools/browser");
        assert!(modules.join("installed").exists(), "what drives the browser is missing: run scripts/setup browser");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/browser.mjs");
        let mut command = Command::new("node");
        let mut child = command.arg(program).arg(modules).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers: Answers = Arc::new(Mutex::new(Some(HashMap::new())));
        let input = Mutex::new(child.stdin.take().expect("its input"));
        let lines = BufReader::new(child.stdout.take().expect("its answers")).lines();
        let waiting = Arc::clone(&answers);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                let id = answer["id"].as_u64().expect("a number");
                let who = waiting.lock().unwrap().as_mut().and_then(|waiting| waiting.remove(&id));
                // A test that has failed does not wait for its answer.
                let _ = who.map(|who| who.send(answer));
            }
            *waiting.lock().unwrap() = None;
            let _ended = child.wait();
        });
        Self { input, answers, last: AtomicU64::new(0) }
    }

    fn number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn tell(&self, page: u64, act: &str, with: Value) -> Receiver<Value> {
        let (sender, receiver) = channel();
        let id = self.number();
        if let Some(waiting) = self.answers.lock().unwrap().as_mut() {
            waiting.insert(id, sender);
        }
        let line = json!({ "id": id, "page": page, "act": act, "with": with }).to_string() + "\n";
        // If the browser has ended, no answer comes, and the receiver reports it.
        let _ = self.input.lock().unwrap().write_all(line.as_bytes());
        receiver
    }
}

impl Page {
    /// Opens a page as on a desktop, in the light scheme.
    #[track_caller]
    pub fn open(url: &str) -> Self {
        Self::open_as(url, DESKTOP)
    }

    #[track_caller]
    pub fn open_as(url: &str, look: Look) -> Self {
        let origin = url::Url::parse(url).expect("a URL").origin().ascii_serialization() + "/";
        let page = Self { number: BROWSER.number(), origin, open: true };
        let Look { width, scheme, script } = look;
        page.act("open", json!({ "url": url, "width": width, "scheme": scheme, "script": script }));
        page
    }

    /// Sends a command to the browser and returns its result.
    #[track_caller]
    pub fn act(&self, act: &str, with: impl Into<Value>) -> Value {
        let answer = BROWSER.tell(self.number, act, with.into()).recv_timeout(DEFAULT_TIMEOUT);
        let mut answer = answer.unwrap_or_else(|error| panic!("{act}: the browser does not answer: {error}"));
        assert!(answer["failed"].is_null(), "{}", answer["failed"].as_str().unwrap_or_default());
        answer["done"].take()
    }

    /// Evaluates a JavaScript expression in the page.
    #[track_caller]
    pub fn look(&self, expression: &str) -> Value {
        self.act("look", expression)
    }

    /// The visible text of the page.
    #[track_caller]
    pub fn text(&self) -> String {
        let text = self.act("text", Value::Null);
        text.as_str().expect("a text").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until the visible text contains all of these parts, and returns it.
    #[track_caller]
    pub fn says(&self, parts: &[&str]) -> String {
        let shows = |text: &str| parts.iter().all(|part| text.contains(part));
        self.wait_until(&format!("{parts:?}"), |page| Some(page.text()).filter(|text| shows(text)))
    }

    /// Calls `see` until it returns a value.
    #[track_caller]
    pub fn wait_until<T>(&self, what: &str, see: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(seen) = see(self) {
                return seen;
            }
            assert!(Instant::now() < deadline, "timed out waiting for: {what}\nin: {}", self.text());
            thread::sleep(PAUSE);
        }
    }

    /// Presses these keys, one after another.
    #[track_caller]
    pub fn press(&self, keys: &[&str]) {
        for key in keys {
            self.act("press", *key);
        }
    }

    /// Checks that no element reaches beyond the edges of the page.
    #[track_caller]
    pub fn fits(&self) {
        assert_eq!(self.act("outside", Value::Null), json!([]));
    }

    /// Checks the accessibility rules and the width, for each width and color scheme. Leaves pictures in
    /// target/browser.
    #[track_caller]
    pub fn is_for_everyone(&self, name: &str) {
        for width in WIDTHS {
            self.act("widen", width);
            self.fits();
            for scheme in SCHEMES {
                self.act("scheme", scheme);
                let rules = self.act("rules", Value::Null);
                assert_eq!(rules["broken"], json!([]), "{name}, {width}, {scheme}");
                assert!(rules["kept"].as_u64() > Some(20), "they were tried: {rules}");
                self.picture(&picture(&format!("{name}-{width}-{scheme}")), None);
            }
        }
    }

    /// Takes a picture of the whole page, or of its upper part.
    #[track_caller]
    pub fn picture(&self, file: &Path, height: Option<u32>) {
        self.act("picture", json!({ "file": file, "height": height }));
    }

    /// Closes the page, and checks that it sent requests only to its agent, only by GET, and that neither errors nor
    /// violations of its policy were reported.
    #[track_caller]
    pub fn close(self) {
        let complaints = self.complaints();
        assert_eq!(complaints, [""; 0]);
    }

    /// The same for a page whose agent has ended: failed connections are allowed.
    #[track_caller]
    pub fn close_lost(self) {
        let unreached = |complaint: &String| complaint.starts_with("error: Failed to load resource: net::ERR_");
        let complaints: Vec<String> = self.complaints().into_iter().filter(|said| !unreached(said)).collect();
        assert_eq!(complaints, [""; 0]);
    }

    /// Closes the page and returns its errors and the requests that it must not send.
    #[track_caller]
    pub fn complaints(mut self) -> Vec<String> {
        self.open = false;
        let heard = self.act("close", Value::Null);
        let list = |of: &str| -> Vec<String> { serde_json::from_value(heard[of].clone()).expect("a list of texts") };
        let mut complaints = list("complaints");
        let own = format!("GET {}", self.origin);
        complaints.extend(list("asked").into_iter().filter(|asked| !asked.starts_with(&own)));
        complaints
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if self.open {
            BROWSER.tell(self.number, "close", Value::Null);
        }
    }
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder").to_owned()
}

/// The path of a picture.
pub fn picture(name: &str) -> PathBuf {
    let folder = target().join("browser");
    fs::create_dir_all(&folder).expect("a folder");
    folder.join(format!("{name}.png"))
}
