//! Stopping before the end, when somebody asks for it.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use burn::train::Interrupter;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// How long a signal may go unheard; steps take longer.
const PERIOD: Duration = Duration::from_millis(50);
/// What a shell calls the end by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// A request to end a training after the step that it is in; clones share it.
#[derive(Clone, Default)]
pub struct Stop {
    interrupter: Interrupter,
}

impl Stop {
    /// Takes Ctrl-C and the system's request to terminate as the request; a second one ends the process at once.
    ///
    /// # Errors
    /// When the system lets nobody listen to signals.
    pub fn on_signals() -> io::Result<Self> {
        let (stop, asked) = (Self::default(), Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM] {
            // In this order: what shuts down looks for the flag that an earlier signal raised.
            flag::register_conditional_shutdown(signal, INTERRUPTED.into(), asked.clone())?;
            flag::register(signal, asked.clone())?;
        }
        let listener = stop.clone();
        thread::spawn(move || {
            while !asked.load(Ordering::Relaxed) {
                thread::sleep(PERIOD);
            }
            // In a terminal, this would be written across the dashboard.
            if !io::stdout().is_terminal() {
                eprintln!("fewseg: stopping after this step; a second time ends at once");
            }
            listener.ask();
        });
        Ok(stop)
    }

    /// Asks for the end.
    pub fn ask(&self) {
        self.interrupter.stop(None);
    }

    /// What burn's training loop looks at after each step.
    pub(super) fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }
}

/// Lets Ctrl-C be a signal although burn's dashboard reads the keyboard: it wants every key as it is typed, and has no
/// meaning for this one.
#[cfg(unix)]
pub(super) fn listen_beside_dashboard() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    let keyboard = io::stdin();
    if let Ok(mut modes) = tcgetattr(&keyboard) {
        modes.local_modes |= LocalModes::ISIG;
        // Where this fails, the dashboard's own key still stops.
        let _ = tcsetattr(&keyboard, OptionalActions::Now, &modes);
    }
}

#[cfg(not(unix))]
pub(super) fn listen_beside_dashboard() {}
