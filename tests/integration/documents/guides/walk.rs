//! Runs the commands of a guide in a shell, step by step.

use crate::support::{Database, Outcome, server};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use pgmedic_testserver::{ServerOptions, TestServer};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::{NamedTempFile, TempDir};

/// The longest time for a step, far more than any needs.
const LONGEST: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(5);

/// One block of commands, and the output that the guide shows for it.
#[derive(Debug)]
struct Block {
    /// The first word of the heading above it, for example `3`.
    step: String,
    script: String,
    shown: Option<String>,
}

/// A guide, and the variables of the shell that runs its commands.
#[derive(Debug)]
pub struct Guide {
    name: String,
    blocks: Vec<Block>,
    variables: Vec<(String, String)>,
    folder: TempDir,
    walked: BTreeSet<usize>,
}

impl Guide {
    /// Reads a guide. `programs` is the folder of the server's programs, which is first in PATH.
    pub fn named(name: &str, programs: &Path, variables: &[(&str, &str)]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/guides/{name}.md"));
        let text = fs::read_to_string(&path).unwrap();
        let blocks = blocks(&text);
        assert!(!blocks.is_empty(), "{name} has no command");
        let ours = Path::new(env!("CARGO_BIN_EXE_pgmedic")).parent().unwrap();
        let path = format!("{}:{}:{}", ours.display(), programs.display(), std::env::var("PATH").unwrap());
        let mut variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        variables.push(("PATH".to_owned(), path));
        let folder = tempfile::tempdir().unwrap();
        Self { name: name.to_owned(), blocks, variables, folder, walked: BTreeSet::new() }
    }

    /// Reads a guide for databases of the shared server, each in a variable.
    pub fn of(name: &str, databases: &[(&str, &Database)]) -> Self {
        let variables: Vec<_> = databases.iter().map(|(variable, database)| (*variable, database.url())).collect();
        Self::named(name, server().bin_dir(), &variables)
    }

    /// The working directory of the commands.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the blocks of these steps, and compares their output with the guide's.
    #[track_caller]
    pub fn walk(&mut self, steps: &[&str]) {
        for step in steps {
            let places: Vec<usize> = (0..self.blocks.len()).filter(|at| self.blocks[*at].step == *step).collect();
            assert!(!places.is_empty(), "{} has no step {step}", self.name);
            for place in places {
                let outcome = self.run(&self.blocks[place].script);
                self.walked.insert(place);
                let Block { script, shown, .. } = &self.blocks[place];
                assert_eq!(outcome.code, 0, "{} {step}:\n{script}\n{}{}", self.name, outcome.stdout, outcome.stderr);
                if let Some(shown) = shown {
                    let printed: Vec<String> = outcome.stdout.lines().map(|line| self.called_app(line)).collect();
                    for line in shown.lines().map(shape).filter(|line| !line.is_empty()) {
                        assert!(printed.contains(&line), "{} {step}: no `{line}` in\n{}", self.name, outcome.stdout);
                    }
                }
            }
        }
    }

    /// The shape of an output line, with the database's name replaced by `app`.
    fn called_app(&self, line: &str) -> String {
        let rest = line.find(" (PostgreSQL ").map(|at| &line[at..]);
        shape(&rest.map_or(line.to_owned(), |rest| format!("app{rest}")))
    }

    /// Runs a step's first block and returns its output without comparing it.
    #[track_caller]
    pub fn prints(&self, step: &str) -> String {
        let block = self.blocks.iter().find(|block| block.step == step);
        let block = block.unwrap_or_else(|| panic!("{} has no step {step}", self.name));
        self.run(&block.script).exits(0).stdout
    }

    /// Runs a script in the same shell, and kills it after [`LONGEST`].
    #[track_caller]
    pub fn run(&self, script: &str) -> Outcome {
        let [stdout, stderr] = [(); 2].map(|()| NamedTempFile::new().unwrap());
        let mut shell = Command::new("sh");
        shell
            .args(["-euc", script])
            .current_dir(self.folder())
            .env_clear()
            .stdin(Stdio::null())
            .env("LC_ALL", "C.UTF-8");
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let child = shell.stdout(stdout.reopen().unwrap()).stderr(stderr.reopen().unwrap()).process_group(0).spawn();
        let mut child = child.unwrap();
        let deadline = Instant::now() + LONGEST;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                // The process group of the shell, which was not waited for: the id is still its.
                killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).unwrap();
                panic!("{}: this never ends:\n{script}\n{}", self.name, fs::read_to_string(stderr.path()).unwrap());
            }
            std::thread::sleep(PAUSE);
        };
        let [stdout, stderr] = [stdout, stderr].map(|file| fs::read(file.path()).unwrap());
        Outcome::of(Output { status, stdout, stderr })
    }

    /// Checks that every command of the guide was run.
    #[track_caller]
    pub fn is_done(&self) {
        for (place, Block { step, script, .. }) in self.blocks.iter().enumerate() {
            assert!(self.walked.contains(&place), "{}: the test does not run step {step}:\n{script}", self.name);
        }
    }

    /// Marks steps that another test runs.
    pub fn leaves(&mut self, steps: &[&str]) {
        self.walked.extend((0..self.blocks.len()).filter(|at| steps.contains(&self.blocks[*at].step.as_str())));
    }
}

/// Ends the program that a step started in the background, where a failed test left it.
impl Drop for Guide {
    fn drop(&mut self) {
        let left = fs::read_to_string(self.folder().join("cutover.pid")).ok().and_then(|text| text.trim().parse().ok());
        if let Some(pid) = left {
            // It has ended where the guide was walked to its end.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// The `sh` blocks, each with the `text` block that stands before the next one.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut step, mut lines) = (String::new(), text.lines());
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix('#') {
            let word = heading.trim_start_matches('#').split_whitespace().next().unwrap_or_default();
            step = word.trim_end_matches('.').to_owned();
        } else if let Some(language) = line.strip_prefix("```").filter(|language| !language.is_empty()) {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let body = body.join("\n");
            match (language, blocks.last_mut()) {
                ("sh", _) => blocks.push(Block { step: step.clone(), script: body, shown: None }),
                ("text", Some(last)) if last.step == step => last.shown = Some(body),
                ("text", _) => panic!("this text follows no command:\n{body}"),
                _ => {}
            }
        }
    }
    blocks
}

/// A line without its numbers and its spacing.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for word in line.split_whitespace() {
        let mut in_number = false;
        for letter in word.chars() {
            if !letter.is_ascii_digit() {
                shape.push(letter);
            } else if !in_number {
                shape.push('0');
            }
            in_number = letter.is_ascii_digit();
        }
        shape.push(' ');
    }
    shape.trim_end().to_owned()
}

/// A server whose folder also contains the client programs, and the file `file` below the folder of its version: the
/// server of the tests if it is complete, or else Debian's.
pub fn complete_server(file: &str, settings: &[(&str, &str)]) -> TestServer {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<PathBuf> = installed.map(|version| version.path().join("bin")).collect();
    installed.sort();
    let complete = |folder: &PathBuf| {
        let parent = folder.parent().unwrap_or(folder);
        ["bin/postgres", "bin/initdb", "bin/pg_dump", file].iter().all(|name| parent.join(name).exists())
    };
    let shared = server().bin_dir().to_owned();
    let programs = [shared].into_iter().chain(installed.into_iter().rev()).find(complete);
    let programs = programs.unwrap_or_else(|| {
        panic!(
            "no server with pg_dump and {file}, neither that of the tests nor in /usr/lib/postgresql: run scripts/setup"
        )
    });
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    TestServer::start(&ServerOptions { settings, programs: Some(programs), ..ServerOptions::default() }).unwrap()
}
