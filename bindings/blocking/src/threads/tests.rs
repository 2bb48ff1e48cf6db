use std::future::{pending, poll_fn};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use socketio_driver::engine::{Dial, Listener, Runtime, Stream};

use super::{Answer, SocketListener, Threads, ThreadsHandle, Timeout, wait_anyhow};

/// Nothing here takes so long unless it is broken.
const LONG: Duration = Duration::from_secs(20);

fn threads(workers: usize) -> Threads {
    let builder = Threads::builder().workers(workers);
    builder
        .end_timeout(Duration::from_millis(300))
        .build()
        .expect("starts")
}

/// What a task comes to.
fn outcome<T: Send + 'static>(handle: &ThreadsHandle, task: impl Future<Output = T> + Send + 'static) -> T {
    let (answer, promise) = Answer::promised(|| panic!("the task was dropped"));
    handle.spawn(async move { promise.keep(task.await) });
    wait_anyhow(answer.get(), Timeout::of(LONG)).expect("ends")
}

/// What one task waits for and others send, counted.
#[derive(Default)]
struct Signal(Mutex<(usize, Option<Waker>)>);

impl Signal {
    fn notify(&self) {
        let waker = {
            let mut place = self.0.lock().expect("is whole");
            place.0 += 1;
            place.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    async fn notified(&self, times: usize) {
        poll_fn(|task| {
            let mut place = self.0.lock().expect("is whole");
            if place.0 >= times {
                return Poll::Ready(());
            }
            place.1 = Some(task.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

#[test]
fn no_wake_is_lost_between_threads() {
    const ROUNDS: usize = 2_000;
    let threads = threads(4);
    let handle = threads.handle();
    let signals: Arc<[Signal; 2]> = Arc::default();
    let (here, there) = (Arc::clone(&signals), Arc::clone(&signals));
    handle.spawn_handlers(async move {
        for round in 1..=ROUNDS {
            there[0].notified(round).await;
            there[1].notify();
        }
    });
    outcome(&handle, async move {
        for round in 1..=ROUNDS {
            here[0].notify();
            here[1].notified(round).await;
        }
    });
    // And from a thread that is none of them, many at once.
    let counted = Arc::new(Signal::default());
    let notifying = Arc::clone(&counted);
    let notifier = std::thread::spawn(move || (0..ROUNDS).for_each(|_| notifying.notify()));
    outcome(&handle, async move { counted.notified(ROUNDS).await });
    notifier.join().expect("ends");
}

#[test]
fn who_sleeps_is_woken_in_time_and_in_order() {
    let threads = threads(1);
    let handle = threads.handle();
    let now = Instant::now();
    let (sender, order) = channel();
    for length in [60, 20, 40] {
        let (sender, sleep) = (
            sender.clone(),
            handle.sleep_until(now + Duration::from_millis(length)),
        );
        handle.spawn(async move {
            sleep.await;
            let _ = sender.send(length);
        });
    }
    let woken: Vec<u64> = (0..3).map(|_| order.recv_timeout(LONG).expect("wakes")).collect();
    assert_eq!(woken, [20, 40, 60]);
    assert!(now.elapsed() >= Duration::from_millis(60));
    // One that gives up is forgotten.
    let far = handle.sleep_until(now + LONG);
    assert_eq!(wait_anyhow(far, Timeout::of(Duration::from_millis(5))), None);
    assert!(threads.0.shared.timers().next().is_none());
}

#[test]
fn a_task_that_panics_ends_only_itself() {
    let threads = threads(1);
    let handle = threads.handle();
    handle.spawn(async { panic!("on purpose, on the I/O thread") });
    handle.spawn_handlers(async { panic!("on purpose, on a worker") });
    let (sender, heard) = channel();
    handle.spawn_handlers(async move {
        let _ = sender.send(());
    });
    heard.recv_timeout(LONG).expect("the worker goes on");
    assert_eq!(outcome(&handle, async { 1 }), 1);
}

#[test]
fn the_end_drops_all_futures_though_their_wakers_are_kept() {
    let threads = threads(2);
    let handle = threads.handle();
    let kept: Arc<Mutex<Vec<Waker>>> = Arc::default();
    let value = Arc::new(());
    for is_handler in [false, true] {
        let (kept, value) = (Arc::clone(&kept), Arc::clone(&value));
        let task = async move {
            let _value = value;
            poll_fn(|task| {
                kept.lock().expect("is whole").push(task.waker().clone());
                Poll::Ready(())
            })
            .await;
            pending::<()>().await;
        };
        match is_handler {
            true => handle.spawn_handlers(task),
            false => handle.spawn(task),
        }
    }
    drop(threads);
    assert_eq!(
        (Arc::strong_count(&value), kept.lock().expect("is whole").len()),
        (1, 2)
    );
    kept.lock().expect("is whole").drain(..).for_each(Waker::wake);
    // What comes too late is dropped.
    let late = Arc::clone(&value);
    handle.spawn(async move { drop(late) });
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn workers_that_block_get_company_up_to_the_limit() {
    const MOST: usize = 20;
    let threads = threads(MOST);
    let handle = threads.handle();
    let (gate, running, most) = (
        Arc::new(Mutex::new(())),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let closed = gate.lock().expect("is whole");
    let (sender, begun) = channel();
    for _ in 0..2 * MOST {
        let (gate, running, most, sender) = (
            Arc::clone(&gate),
            Arc::clone(&running),
            Arc::clone(&most),
            sender.clone(),
        );
        handle.spawn_handlers(async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let _ = sender.send(());
            drop(gate.lock());
            running.fetch_sub(1, Ordering::SeqCst);
        });
    }
    for _ in 0..MOST {
        begun.recv_timeout(LONG).expect("begins");
    }
    assert_eq!(running.load(Ordering::SeqCst), MOST);
    drop(closed);
    for _ in 0..MOST {
        begun.recv_timeout(LONG).expect("begins");
    }
    assert_eq!(most.load(Ordering::SeqCst), MOST);
}

#[test]
fn an_end_that_comes_together_with_data_is_read_after_it() {
    let threads = threads(1);
    let handle = threads.handle();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    listener.set_nonblocking(true).expect("is set");
    let address = listener.local_addr().expect("is bound");
    let mut listener =
        SocketListener::new(&handle, mio::net::TcpListener::from_std(listener)).expect("listens");
    let accepting = async move { listener.accept().await.expect("accepts").0 };
    let mut stream = {
        let dialled = TcpStream::connect(address).expect("connects");
        std::io::Write::write_all(&mut &dialled, &[7; 10]).expect("is sent");
        outcome(&handle, accepting)
    };
    let read = outcome(&handle, async move {
        let mut buffer = BytesMut::with_capacity(4096);
        let mut counts = Vec::new();
        while counts.last() != Some(&0) {
            counts.push(
                poll_fn(|task| stream.poll_read(task, &mut buffer))
                    .await
                    .expect("reads"),
            );
        }
        counts
    });
    assert_eq!(read, [10, 0]);
}

#[test]
fn names_are_looked_up_and_refusals_told() {
    let threads = threads(1);
    let handle = threads.handle();
    let resolved = outcome(&handle, handle.resolve("localhost", 80)).expect("is known");
    assert!(
        resolved
            .iter()
            .all(|address| address.ip().is_loopback() && address.port() == 80)
    );
    let unused = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let address = unused.local_addr().expect("is bound");
    drop(unused);
    let error = outcome(&handle, handle.dial(address)).expect_err("nobody is there");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}
