//! The example `chat-client`, with the example `chat` as its server, also across a restart of it.

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

/// How long anything may take to be shown; a name stays taken until the server notices that a connection is lost.
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

/// The program, with its keyboard and its screen.
struct ChatClient {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Receiver<String>,
    seen: Vec<String>,
}

impl ChatClient {
    fn start(url: &str, name: &str) -> Self {
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

    fn type_line(&mut self, line: &str) {
        let keyboard = self.keyboard.as_mut().expect("the input is open");
        writeln!(keyboard, "{line}").expect("the client reads");
    }

    /// Waits for a line that contains `wanted`; lines before it are skipped.
    fn wait_for(&mut self, wanted: &str) {
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

    /// Types `line` until a line that contains `wanted` is shown: the server may not know it yet.
    fn repeat_until(&mut self, line: &str, wanted: &str) {
        let deadline = Instant::now() + WITHIN;
        loop {
            self.type_line(line);
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

    fn press_ctrl_d(&mut self) {
        self.keyboard = None;
    }

    fn press_ctrl_c(&self) {
        let sent = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(sent.expect("there is kill").success());
    }

    /// Waits for the program to end, and checks that it was successful.
    fn assert_exits(mut self) {
        assert_eq!(exit_code(&mut self.child), Some(0), "seen: {:#?}", self.seen);
    }
}

impl Drop for ChatClient {
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

/// What the client prints as its error, when it ends by itself.
fn error_output(url: &str, name: &str) -> String {
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
    stderr.read_to_string(&mut text).expect("the error is UTF-8");
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
fn clients_show_who_joins_what_is_said_and_who_leaves() {
    let server = chat();
    let mut ada = ChatClient::start(&server.url(), "ada");
    ada.wait_for("* You are ada in lobby, alone.");
    let mut bob = ChatClient::start(&server.url(), "bob");
    bob.wait_for("* You are bob in lobby, with ada.");
    ada.wait_for("* bob joined.");

    ada.type_line("hello");
    bob.wait_for("ada: hello");
    ada.wait_for("ada: hello");
    for number in 0..20 {
        bob.type_line(&format!("number {number}"));
    }
    for number in 0..20 {
        ada.wait_for(&format!("bob: number {number}"));
    }
    ada.type_line("/who");
    ada.wait_for("* Here: ada, bob");

    ada.type_line("/join attic");
    ada.wait_for("* You are ada in attic, alone.");
    bob.wait_for("* ada left.");
    bob.repeat_until("/rooms", "* Rooms: attic (1), lobby (1)");

    bob.type_line("/quit");
    bob.assert_exits();
    ada.press_ctrl_d();
    ada.assert_exits();
}

#[test]
fn a_late_client_shows_the_history() {
    let server = chat();
    let mut ada = ChatClient::start(&server.url(), "ada");
    ada.type_line("one");
    ada.type_line("two");
    ada.wait_for("ada: two");
    let mut bob = ChatClient::start(&server.url(), "bob");
    bob.wait_for("ada: one");
    bob.wait_for("ada: two");
    bob.press_ctrl_c();
    bob.assert_exits();
    ada.wait_for("* bob left.");
}

#[test]
fn pictures_arrive_whole_and_never_replace_a_file() {
    let server = chat();
    let (sent, saved) = (temporary("sent.png"), temporary("saved.png"));
    fs::write(&sent, PICTURE).expect("the target folder can be written");
    let mut ada = ChatClient::start(&server.url(), "ada");
    ada.wait_for("You are ada");
    let mut bob = ChatClient::start(&server.url(), "bob");
    bob.wait_for("You are bob");
    bob.type_line(&format!("/send {}", sent.display()));
    ada.wait_for("bob: [picture image/png 2 KiB] /save 1 FILE");
    ada.type_line(&format!("/save 1 {}", saved.display()));
    ada.wait_for("* Saved");
    assert_eq!(fs::read(&saved).expect("it was saved"), PICTURE);
    ada.type_line(&format!("/save 1 {}", saved.display()));
    ada.wait_for("! Not saved");
    ada.type_line("/save 2 nowhere");
    ada.wait_for("! There is no picture 2.");
}

#[test]
fn text_of_others_can_not_control_the_terminal() {
    let server = chat();
    let mut ada = ChatClient::start(&server.url(), "ada");
    ada.wait_for("You are ada");
    let mut eve = ChatClient::start(&server.url(), "eve\x1b[8m");
    ada.wait_for(r"* eve\u{1b}[8m joined.");
    eve.type_line("\x1b]0;owned\x07 hello");
    ada.wait_for(r"eve\u{1b}[8m: \u{1b}]0;owned\u{7} hello");
    assert!(
        ada.seen.iter().all(|line| !line.contains(char::is_control)),
        "{:#?}",
        ada.seen
    );
}

#[test]
fn clients_join_again_when_the_server_is_back() {
    let mut server = chat();
    let mut ada = ChatClient::start(&server.url(), "ada");
    ada.wait_for("You are ada");
    let mut bob = ChatClient::start(&server.url(), "bob");
    bob.wait_for("You are bob");
    server.stop();
    ada.wait_for("! Disconnected: ");
    bob.wait_for("! Disconnected: ");
    ada.type_line("lost words");
    ada.wait_for("! Not sent: lost words");
    server.start_again();
    ada.wait_for("* You are ada in lobby");
    bob.wait_for("* You are bob in lobby");
    ada.type_line("there you are");
    bob.wait_for("ada: there you are");
}

#[test]
fn refusals_are_explained() {
    let mut server = chat();
    let mut ada = ChatClient::start(&server.url(), "ada");
    ada.wait_for("You are ada");
    let text = error_output(&server.url(), "Ada");
    assert!(
        text.contains("Somebody in this room has this name. Take another with --name."),
        "{text}"
    );
    let text = error_output(&server.url(), &"a".repeat(25));
    assert!(text.contains("A name has 1 to 24 characters."), "{text}");
    server.stop();
    let text = error_output(&server.url(), "bob");
    assert!(text.contains("refused"), "{text}");
}
