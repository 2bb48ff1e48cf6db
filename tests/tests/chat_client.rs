//! The example `chat-client`: people at terminals talk through the example `chat`, and outlive it.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socketio_tests::cargo::build_example;
use socketio_tests::provision_process::{ServerCommand, ServerProcess, lines_of};

/// How long anything may take to be shown; a name can be taken for as long as the server holds a lost connection.
const WITHIN: Duration = Duration::from_secs(30);
/// Begins as a PNG does, and has every byte.
const PICTURE: [u8; 1025] = picture();

const fn picture() -> [u8; 1025] {
    let mut bytes = [0; 1025];
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = index as u8;
        index += 1;
    }
    [bytes[0], bytes[1], bytes[2], bytes[3]] = [0x89, b'P', b'N', b'G'];
    bytes
}

/// Somebody at a terminal.
struct Person {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Receiver<String>,
    seen: Vec<String>,
}

impl Person {
    fn arrives(url: &str, name: &str) -> Self {
        let mut child = client(url, name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the client starts");
        Self {
            keyboard: child.stdin.take(),
            screen: lines_of(child.stdout.take().expect("stdout is a pipe")),
            child,
            seen: Vec::new(),
        }
    }

    fn types(&mut self, line: &str) {
        let keyboard = self.keyboard.as_mut().expect("the input is open");
        writeln!(keyboard, "{line}").expect("the client reads");
    }

    /// Waits for a line that contains `wanted`; what comes before is passed over.
    fn sees(&mut self, wanted: &str) {
        let deadline = Instant::now() + WITHIN;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self
                .screen
                .recv_timeout(left)
                .unwrap_or_else(|error| panic!("waiting for {wanted:?}: {error}; seen: {:#?}", self.seen));
            let found = line.contains(wanted);
            self.seen.push(line);
            if found {
                return;
            }
        }
    }

    /// Types `line` until a line that contains `wanted` answers it: what it asks about may still be on its way.
    fn asks_until(&mut self, line: &str, wanted: &str) {
        let deadline = Instant::now() + WITHIN;
        loop {
            self.types(line);
            while let Ok(shown) = self.screen.recv_timeout(Duration::from_millis(200)) {
                let found = shown.contains(wanted);
                self.seen.push(shown);
                if found {
                    return;
                }
            }
            assert!(
                Instant::now() < deadline,
                "asking {line:?} for {wanted:?}; seen: {:#?}",
                self.seen
            );
        }
    }

    fn presses_ctrl_d(&mut self) {
        self.keyboard = None;
    }

    fn presses_ctrl_c(&self) {
        let sent = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(sent.expect("there is kill").success());
    }

    /// Waits for the program to end, and wants it to say that all is well.
    fn leaves(mut self) {
        assert_eq!(exit_code(&mut self.child), Some(0), "seen: {:#?}", self.seen);
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // Both fail only if it already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn exit_code(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + WITHIN;
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return status.code();
        }
        assert!(Instant::now() < deadline, "the client does not end");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The client, and what it prints and complains about when it ends by itself.
fn complaint(url: &str, name: &str) -> String {
    let mut child = client(url, name)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    // Open until it ends, so that it is not the end of the input that ends it.
    let keyboard = child.stdin.take();
    let code = exit_code(&mut child);
    drop(keyboard);
    assert_eq!(code, Some(1));
    let mut text = String::new();
    let mut stderr = child.stderr.take().expect("stderr is a pipe");
    stderr.read_to_string(&mut text).expect("it complains in UTF-8");
    text
}

fn client(url: &str, name: &str) -> Command {
    let mut command = Command::new(built("chat-client"));
    command.args([url, "--name", name]);
    command
}

fn chat() -> ServerProcess {
    ServerProcess::start(ServerCommand {
        words: vec![built("chat").into_os_string()],
        folder: None,
    })
}

/// Tests run at once; one cargo at a time is enough.
fn built(name: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _guard = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    build_example(name)
}

fn temporary(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // It is there only if an earlier run was cut short.
    let _ = fs::remove_file(&path);
    path
}

#[test]
fn people_see_each_other_come_talk_and_go() {
    let server = chat();
    let mut ada = Person::arrives(&server.url(), "ada");
    ada.sees("* You are ada in lobby, alone.");
    let mut bob = Person::arrives(&server.url(), "bob");
    bob.sees("* You are bob in lobby, with ada.");
    ada.sees("* bob joined.");

    ada.types("hello");
    bob.sees("ada: hello");
    ada.sees("ada: hello");
    for number in 0..20 {
        bob.types(&format!("number {number}"));
    }
    for number in 0..20 {
        ada.sees(&format!("bob: number {number}"));
    }
    ada.types("/who");
    ada.sees("* Here: ada, bob");

    ada.types("/join attic");
    ada.sees("* You are ada in attic, alone.");
    bob.sees("* ada left.");
    bob.asks_until("/rooms", "* Rooms: attic (1), lobby (1)");

    bob.types("/quit");
    bob.leaves();
    ada.presses_ctrl_d();
    ada.leaves();
}

#[test]
fn who_comes_late_reads_what_was_said() {
    let server = chat();
    let mut ada = Person::arrives(&server.url(), "ada");
    ada.types("one");
    ada.types("two");
    ada.sees("ada: two");
    let mut bob = Person::arrives(&server.url(), "bob");
    bob.sees("ada: one");
    bob.sees("ada: two");
    bob.presses_ctrl_c();
    bob.leaves();
    ada.sees("* bob left.");
}

#[test]
fn pictures_arrive_whole_and_never_replace_a_file() {
    let server = chat();
    let (sent, saved) = (temporary("sent.png"), temporary("saved.png"));
    fs::write(&sent, PICTURE).expect("the target folder can be written");
    let mut ada = Person::arrives(&server.url(), "ada");
    ada.sees("You are ada");
    let mut bob = Person::arrives(&server.url(), "bob");
    bob.sees("You are bob");
    bob.types(&format!("/send {}", sent.display()));
    ada.sees("bob: [picture image/png 2 KiB] /save 1 FILE");
    ada.types(&format!("/save 1 {}", saved.display()));
    ada.sees("* Saved");
    assert_eq!(fs::read(&saved).expect("it was saved"), PICTURE);
    ada.types(&format!("/save 1 {}", saved.display()));
    ada.sees("! Not saved");
    ada.types("/save 2 nowhere");
    ada.sees("! There is no picture 2.");
}

#[test]
fn text_of_others_can_not_command_a_terminal() {
    let server = chat();
    let mut ada = Person::arrives(&server.url(), "ada");
    ada.sees("You are ada");
    let mut eve = Person::arrives(&server.url(), "eve\x1b[8m");
    ada.sees(r"* eve\u{1b}[8m joined.");
    eve.types("\x1b]0;owned\x07 hello");
    ada.sees(r"eve\u{1b}[8m: \u{1b}]0;owned\u{7} hello");
    assert!(
        ada.seen.iter().all(|line| !line.contains(char::is_control)),
        "{:#?}",
        ada.seen
    );
}

#[test]
fn people_join_again_when_the_server_is_back() {
    let mut server = chat();
    let mut ada = Person::arrives(&server.url(), "ada");
    ada.sees("You are ada");
    let mut bob = Person::arrives(&server.url(), "bob");
    bob.sees("You are bob");
    server.stop();
    ada.sees("! Disconnected: ");
    bob.sees("! Disconnected: ");
    ada.types("lost words");
    ada.sees("! Not sent: lost words");
    server.start_again();
    ada.sees("* You are ada in lobby");
    bob.sees("* You are bob in lobby");
    ada.types("there you are");
    bob.sees("ada: there you are");
}

#[test]
fn what_keeps_somebody_out_is_said_clearly() {
    let mut server = chat();
    let mut ada = Person::arrives(&server.url(), "ada");
    ada.sees("You are ada");
    let text = complaint(&server.url(), "Ada");
    assert!(
        text.contains("Somebody in this room has this name. Take another with --name."),
        "{text}"
    );
    let text = complaint(&server.url(), &"a".repeat(25));
    assert!(text.contains("A name has 1 to 24 characters."), "{text}");
    server.stop();
    let text = complaint(&server.url(), "bob");
    assert!(text.contains("refused"), "{text}");
}
