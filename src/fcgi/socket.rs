//! Serves on a listening socket: descriptor 0, given by the web server, or one of our own. The only code that knows signals.

use std::cell::Cell;
use std::env;
use std::hint;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, SocketFlags, acceptfrom_with, recv, sendmsg, sockopt};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::Handler;
use super::connection::{Ready, Stream};
use super::exchange::{Buffers, serve_connection};
use super::listen::Bound;

/// How long we wait before we accept again when there are no free descriptors, or no memory.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// How long, after SIGTERM, we wait for connections. At a graceful restart, the Apache that is on its way out serves the
/// requests that it has accepted, and counts on the processes that it knows: where it finds none, mod_fcgid (2.3.9) asks
/// for another one of a process manager that has gone, and the request hangs. Not longer: the restart waits for us, and
/// clients for it. mod_fcgid looks whether we have gone after 80 ms, 340 ms, 1.3 s.
const LINGER: Duration = Duration::from_millis(250);

/// How long, after SIGTERM, requests are served that are on their way: those whose connection waits or was just made.
const LAST_CALL: Duration = Duration::from_secs(2);

/// How long a connection that waits for a thread is left to those that are about to be free, before a kept one makes room.
const GIVE_WAY_AFTER: Duration = Duration::from_millis(100);

/// Room for the stack of a thread: as much as the main one mostly has.
const STACK_LEN: usize = 8 << 20;

/// The variable that names the addresses from which connections are accepted, separated by `,` (section 3.2).
pub const WEB_SERVER_ADDRS: &str = "FCGI_WEB_SERVER_ADDRS";

/// Tells whether descriptor 0 is a listening socket, so that a web server has started us.
pub fn has_socket() -> bool {
    sockopt::socket_acceptconn(rustix::stdio::stdin()).unwrap_or(false)
}

/// Serves requests on descriptor 0 until SIGTERM, which lets the present request be completed.
///
/// # Errors
/// Descriptor 0 is no listening socket, or the handler of SIGTERM cannot be installed. What concerns one connection only
/// is logged.
pub fn serve(handler: &mut dyn Handler) -> io::Result<()> {
    let termination = Termination::on_sigterm()?;
    serve_on(rustix::stdio::stdin(), &termination, handler)
}

/// Serves requests on a socket, or on descriptor 0, with so many threads, each with a handler of its own, until SIGTERM or
/// SIGINT, which let the present requests be completed. A thread serves one connection at a time.
///
/// # Errors
/// The socket failed, or the handler of signals cannot be installed. What concerns one connection only is logged.
pub fn serve_threads<'h>(
    bound: Option<&Bound>,
    threads: NonZeroU16,
    make_handler: &(dyn Fn() -> Box<dyn Handler + 'h> + Sync),
) -> io::Result<()> {
    let socket = match bound {
        Some(bound) => bound.as_fd(),
        None => rustix::stdio::stdin(),
    };
    let (wished, wish) = UnixStream::pair()?;
    for signal in [SIGTERM, SIGINT] {
        signal_hook::low_level::pipe::register(signal, wish.try_clone()?)?;
    }
    let serve = || {
        let termination = Termination::new(wished.try_clone()?);
        let served = serve_on(socket, &termination, &mut *make_handler());
        // Where one fails, all end: those who look after the program see it.
        let _ = (&wish).write(b"X");
        served
    };
    thread::scope(|scope| {
        let started: Vec<_> = (0..threads.get())
            .map(|number| {
                thread::Builder::new()
                    .name(format!("server {number}"))
                    .stack_size(STACK_LEN)
                    .spawn_scoped(scope, serve)
            })
            .collect();
        let mut result = Ok(());
        for thread in started {
            let served = thread.and_then(|thread| {
                let panicked = |_| io::Error::other("a thread panicked");
                thread.join().map_err(panicked)?
            });
            if served.is_err() {
                let _ = (&wish).write(b"X");
                result = result.and(served);
            }
        }
        result
    })
}

/// Makes the allocator keep some memory from one request to the next, rather than give it back to the system and take it again,
/// page by page: a computation of 10,000 obsels takes a tenth less time.
///
/// That of glibc learns from the largest block that was freed: at most twice as much stays (mallopt(3), on the dynamic
/// mmap threshold). The block itself is never touched, and so is no memory.
fn keep_memory() {
    const BLOCK: usize = 4 << 20;
    drop(hint::black_box(Vec::<u8>::with_capacity(BLOCK)));
}

fn serve_on(socket: BorrowedFd<'_>, termination: &Termination, handler: &mut dyn Handler) -> io::Result<()> {
    keep_memory();
    let web_servers = env::var(WEB_SERVER_ADDRS).ok();
    let listener = Listener::new(socket, termination, web_servers.as_deref())?;
    let mut buffers = Buffers::default();
    while let Some(socket) = listener.accept()? {
        if let Err(e) = serve_connection(socket, &mut buffers, handler) {
            match e.kind() {
                // The web server went away, mostly because its client did.
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => {
                    log::debug!("connection lost: {e}");
                }
                _ => log::warn!("connection given up: {e}"),
            }
        }
    }
    Ok(())
}

/// The wish that the program end, as a descriptor that becomes readable, and stays so.
struct Termination {
    pipe: UnixStream,
    /// When the wish was first seen.
    seen: Cell<Option<Instant>>,
}

impl Termination {
    fn new(pipe: UnixStream) -> Self {
        Self {
            pipe,
            seen: Cell::new(None),
        }
    }

    fn on_sigterm() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        signal_hook::low_level::pipe::register(SIGTERM, write)?;
        Ok(Self::new(read))
    }

    fn as_poll(&self) -> (BorrowedFd<'_>, PollFlags) {
        (self.pipe.as_fd(), PollFlags::IN)
    }

    /// Returns when the wish was first seen, given that it is there.
    fn seen(&self) -> Instant {
        let seen = self.seen.get().unwrap_or_else(Instant::now);
        self.seen.set(Some(seen));
        seen
    }
}

/// A listening socket. Several processes may share it.
struct Listener<'t> {
    socket: BorrowedFd<'t>,
    termination: &'t Termination,
    /// The addresses from which connections are accepted; `None`: all (`FCGI_WEB_SERVER_ADDRS`, section 3.2).
    web_servers: Option<Vec<IpAddr>>,
}

impl<'t> Listener<'t> {
    fn new(socket: BorrowedFd<'t>, termination: &'t Termination, web_servers: Option<&str>) -> io::Result<Self> {
        // Another process may accept the connection that woke us: we must not wait for the next one, deaf to SIGTERM.
        ioctl_fionbio(socket, true)?;
        Ok(Self {
            socket,
            termination,
            web_servers: web_servers.map(parse_addresses),
        })
    }

    /// Returns the next connection, or `None` when the program should end.
    fn accept(&self) -> io::Result<Option<Socket<'t>>> {
        while self.wait()? {
            match acceptfrom_with(self.socket, SocketFlags::CLOEXEC) {
                Ok((socket, from)) => {
                    let internet = from.and_then(|from| SocketAddr::try_from(from).ok());
                    if let Some(from) = internet {
                        if !self.allows(from.ip()) {
                            continue;
                        }
                        sockopt::set_tcp_nodelay(&socket, true)?;
                    }
                    return Ok(Some(Socket {
                        socket,
                        termination: self.termination,
                        listener: Some(self.socket),
                    }));
                }
                Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED | Errno::PROTO) => {}
                Err(e @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
                    log::error!("cannot accept a connection now: {e}");
                    thread::sleep(RETRY_AFTER);
                }
                Err(e) => return Err(e.into()),
            }
        }
        Ok(None)
    }

    /// Waits until a connection seems to be there; `false`: no more should be accepted.
    fn wait(&self) -> io::Result<bool> {
        let socket = (self.socket, PollFlags::IN);
        let [_, terminate] = wait_for([socket, self.termination.as_poll()], None)?;
        if terminate.is_empty() {
            return Ok(true);
        }
        let seen = self.termination.seen();
        let [connection] = wait_for([socket], Some(seen + LINGER))?;
        Ok(!connection.is_empty() && seen.elapsed() < LAST_CALL)
    }

    fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let allowed = self.web_servers.as_ref().is_none_or(|list| list.contains(&address));
        if !allowed {
            log::warn!("connection from {address} refused: it is not in FCGI_WEB_SERVER_ADDRS");
        }
        allowed
    }
}

fn parse_addresses(list: &str) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for word in list.split(',').map(str::trim) {
        match word.parse::<IpAddr>() {
            Ok(address) => addresses.push(address.to_canonical()),
            Err(_) => log::warn!("FCGI_WEB_SERVER_ADDRS: '{word}' is not an IP address"),
        }
    }
    addresses
}

/// An accepted connection.
struct Socket<'t> {
    socket: OwnedFd,
    termination: &'t Termination,
    /// Where others wait to be accepted.
    listener: Option<BorrowedFd<'t>>,
}

impl Socket<'_> {
    /// Waits for a request, a wish to end, or somebody who waits to be accepted; returns whether they came.
    fn wait_idle(&self) -> io::Result<[bool; 3]> {
        let (socket, end) = ((self.socket.as_fd(), PollFlags::IN), self.termination.as_poll());
        let found = match self.listener {
            Some(listener) => wait_for([socket, end, (listener, PollFlags::IN)], None)?,
            None => {
                let [request, end] = wait_for([socket, end], None)?;
                [request, end, PollFlags::empty()]
            }
        };
        Ok(found.map(|found| !found.is_empty()))
    }

    /// Waits for a request on a connection that has had one. It is given up if somebody else waits whom no thread takes.
    fn wait_for_another(&self) -> io::Result<bool> {
        loop {
            let [request, end, other] = self.wait_idle()?;
            if request || end {
                return Ok(request);
            }
            let socket = (self.socket.as_fd(), PollFlags::IN);
            let deadline = Instant::now() + GIVE_WAY_AFTER;
            let [request, end] = wait_for([socket, self.termination.as_poll()], Some(deadline))?;
            if !request.is_empty() || !end.is_empty() {
                return Ok(!request.is_empty());
            }
            if other && let Some(listener) = self.listener {
                let [still] = wait_for([(listener, PollFlags::IN)], Some(deadline))?;
                if !still.is_empty() {
                    return Ok(false);
                }
            }
        }
    }
}

impl Stream for Socket<'_> {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (_, n) = recv(&self.socket, buffer, RecvFlags::DONTWAIT)?;
        Ok(n)
    }

    fn send(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        Ok(sendmsg(
            &self.socket,
            slices,
            &mut SendAncillaryBuffer::default(),
            flags,
        )?)
    }

    fn wait(&mut self, receive: bool, send: bool, deadline: Option<Instant>) -> io::Result<Ready> {
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, receive);
        wanted.set(PollFlags::OUT, send);
        let [found] = wait_for([(self.socket.as_fd(), wanted)], deadline)?;
        let broken = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        Ok(Ready {
            receive: receive && found.intersects(PollFlags::IN | broken),
            send: send && found.intersects(PollFlags::OUT | broken),
        })
    }

    fn wait_for_request(&mut self, fresh: bool) -> io::Result<bool> {
        if !fresh {
            return self.wait_for_another();
        }
        let socket = (self.socket.as_fd(), PollFlags::IN);
        let [request, _] = wait_for([socket, self.termination.as_poll()], None)?;
        if request.is_empty() {
            let [request] = wait_for([socket], Some(Instant::now() + LAST_CALL))?;
            return Ok(!request.is_empty());
        }
        Ok(!request.is_empty())
    }
}

/// Waits until one of the descriptors is ready for what is wanted of it, and returns what each is ready for; nothing
/// for all: the deadline has passed.
fn wait_for<const N: usize>(
    wanted: [(BorrowedFd<'_>, PollFlags); N],
    deadline: Option<Instant>,
) -> io::Result<[PollFlags; N]> {
    let mut fds = wanted.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags));
    loop {
        let timeout = deadline
            .map(|deadline| Timespec::try_from(deadline.saturating_duration_since(Instant::now())))
            .transpose()
            .map_err(io::Error::other)?;
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => return Ok(fds.map(|fd| fd.revents())),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

#[cfg(test)]
mod test {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixListener;

    use super::super::web_server::{Received, request};
    use super::super::{Params, Reply};
    use super::*;

    struct Answer {
        body: Vec<u8>,
        took: Duration,
    }

    impl Answer {
        fn new(len: usize) -> Self {
            Self {
                body: (0..len).map(|i| (i % 251) as u8).collect(),
                took: Duration::ZERO,
            }
        }
    }

    impl Handler for Answer {
        fn handle(&mut self, _: &Params, _: &mut dyn Read, reply: &mut dyn Reply) -> io::Result<()> {
            let start = Instant::now();
            let written = self.body.chunks(50_000).try_for_each(|piece| reply.write_all(piece));
            self.took = start.elapsed();
            written
        }
    }

    fn termination() -> (Termination, UnixStream) {
        let (read, write) = UnixStream::pair().expect("a socket pair");
        (Termination::new(read), write)
    }

    /// Serves one connection, with the web server in another thread.
    fn serve_pair(answer: &mut Answer, web_server: impl FnOnce(UnixStream) + Send) -> io::Result<()> {
        let (theirs, ours) = UnixStream::pair().expect("a socket pair");
        let (termination, _open) = termination();
        thread::scope(|scope| {
            scope.spawn(|| web_server(theirs));
            let socket = Socket {
                socket: ours.into(),
                termination: &termination,
                listener: None,
            };
            serve_connection(socket, &mut Buffers::default(), answer)
        })
    }

    #[test]
    fn a_web_server_that_reads_only_when_it_has_sent_all_is_not_in_the_way() {
        let mut answer = Answer::new(5_000_000);
        let expected = answer.body.clone();
        serve_pair(&mut answer, |mut web_server| {
            web_server
                .write_all(&request(1, 0, &vec![7; 20_000_000]))
                .expect("all of the body is taken");
            let mut all = Vec::new();
            web_server.read_to_end(&mut all).expect("an answer");
            let received = Received::from_bytes(&all);
            assert!(received.stdout(1) == expected);
            assert!(received.ended(1));
        })
        .expect("served");
    }

    #[test]
    fn a_slow_reader_frees_the_handler_after_patience() {
        let mut answer = Answer::new(3_000_000);
        let expected = answer.body.clone();
        serve_pair(&mut answer, |mut web_server| {
            web_server.write_all(&request(1, 0, b"")).expect("sent");
            thread::sleep(super::super::PATIENCE + Duration::from_secs(1));
            let mut all = Vec::new();
            web_server.read_to_end(&mut all).expect("an answer");
            assert!(Received::from_bytes(&all).stdout(1) == expected);
        })
        .expect("served");
        assert!(
            answer.took < super::super::PATIENCE + Duration::from_millis(900),
            "{:?}",
            answer.took
        );
    }

    #[test]
    fn a_web_server_that_goes_away_is_an_error() {
        let mut answer = Answer::new(3_000_000);
        let served = serve_pair(&mut answer, |mut web_server| {
            web_server.write_all(&request(1, 0, b"")).expect("sent");
        });
        assert!(served.is_err());
    }

    #[test]
    fn a_kept_connection_ends_with_the_program() {
        let (theirs, ours) = UnixStream::pair().expect("a socket pair");
        let (termination, mut wish) = termination();
        let mut web_server = theirs;
        web_server.write_all(&request(1, 1, b"")).expect("sent");
        wish.write_all(b"X").expect("sent");
        let socket = Socket {
            socket: ours.into(),
            termination: &termination,
            listener: None,
        };
        serve_connection(socket, &mut Buffers::default(), &mut Answer::new(10)).expect("ended");
        let mut all = Vec::new();
        web_server.read_to_end(&mut all).expect("an answer");
        assert!(Received::from_bytes(&all).ended(1));
    }

    #[test]
    fn what_waits_is_accepted_before_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let socket = UnixListener::bind(&path).expect("a listening socket");
        let (termination, mut wish) = termination();
        let listener = Listener::new(socket.as_fd(), &termination, None).expect("a listener");
        let _waiting = UnixStream::connect(&path).expect("connected");
        wish.write_all(b"X").expect("sent");
        assert!(listener.accept().expect("accepted").is_some());
        assert!(listener.accept().expect("ended").is_none());
    }

    #[test]
    fn only_the_named_web_servers_are_served() {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a listening socket");
        let address = socket.local_addr().expect("an address");
        let (termination, mut wish) = termination();
        wish.write_all(b"X").expect("sent");
        for (list, served) in [
            (None, true),
            (Some("192.0.2.1, 127.0.0.1"), true),
            (Some("::ffff:127.0.0.1"), true),
            (Some("192.0.2.1"), false),
            (Some("localhost"), false),
            (Some(""), false),
        ] {
            let listener = Listener::new(socket.as_fd(), &termination, list).expect("a listener");
            let _waiting = TcpStream::connect(address).expect("connected");
            assert_eq!(listener.accept().expect("accepted").is_some(), served, "{list:?}");
        }
    }

    #[test]
    fn the_descriptor_of_a_test_is_no_listening_socket() {
        assert!(!has_socket());
    }
}
