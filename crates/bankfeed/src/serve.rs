//! `bankfeed serve`: runs the server until a signal ends it.

use crate::error::CommandError;
use cli::output;
use cli::process::{EndSignals, ReloadSignal, runtime};
use server::{Started, start};
use settings::{Database, KeyPolicy, LogFormat, Settings, SettingsFlags};

pub(crate) fn run(flags: &SettingsFlags) -> Result<(), CommandError> {
    let settings = flags.resolve()?.settings()?;
    begin_log(&settings);
    for warning in crate::misspelled_variables() {
        tracing::warn!("{warning}");
    }
    runtime()?.block_on(async {
        // The signals are caught before the greeting, so that an early signal still ends the server
        // in order.
        let mut signals = EndSignals::listen()?;
        let mut started = start(&settings).await?;
        // Clients may know the server's address already, so a lost greeting is no reason to stop.
        if let Err(lost) = output::say(&greeting(&settings, &started)) {
            tracing::warn!("{lost}; the server is at {}", started.local_url);
        }
        let ended = run_until_end(&mut started, &mut signals, &settings).await?;
        tracing::info!("stopping");
        tokio::select! {
            stopped = started.stop() => stopped?,
            // A second signal skips the wait for webhooks in progress. Acknowledged changes are on
            // disk, and the next start continues the rest.
            _ = signals.next() => tracing::warn!("stopped before all was finished"),
        }
        tracing::info!("stopped");
        ended
    })
}

/// Waits for the end of the server. Returns its error if it failed.
async fn run_until_end(
    started: &mut Started,
    signals: &mut EndSignals,
    settings: &Settings,
) -> Result<Result<(), CommandError>, CommandError> {
    let mut reload = ReloadSignal::listen(started.has_tls())?;
    let mut closed = std::pin::pin!(input_closed(settings.stop_with_stdin));
    loop {
        tokio::select! {
            _ = signals.next() => return Ok(Ok(())),
            () = &mut closed => return Ok(Ok(())),
            error = started.failed() => return Ok(Err(error.into())),
            () = reload.next() => {}
        }
        match started.reload_certificate() {
            Ok(()) => tracing::info!("new connections use the certificate that was read again"),
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the certificate was not replaced; name a good pair of files and send SIGHUP again"
            ),
        }
    }
}

/// Waits until standard input is closed, if the server stops then. A program that starts a server holds
/// the other end of a pipe, and the system closes it however that program ends.
async fn input_closed(stops: bool) {
    if !stops {
        return std::future::pending().await;
    }
    let (closed, wait) = tokio::sync::oneshot::channel();
    // A thread of its own, because the runtime would wait for a blocking task at the end.
    std::thread::spawn(move || {
        // An input that cannot be read is as good as closed.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = closed.send(());
    });
    let _ = wait.await;
}

fn greeting(settings: &Settings, started: &Started) -> String {
    let Started { url, local_url, .. } = started;
    let example = match started.keys {
        KeyPolicy::Any => format!(
            "\n  try       curl {url}/v1/customers -u sk_test_123: -d email=ada@example.com"
        ),
        KeyPolicy::Issued => String::new(),
    };
    let database = match &settings.database {
        Database::File(path) => path.display().to_string(),
        Database::Temporary => "temporary, removed at exit".to_owned(),
    };
    let keys = match started.keys {
        KeyPolicy::Any => "any that begins with sk_test_; each is a separate merchant",
        KeyPolicy::Issued if settings.api_keys_file.is_none() => {
            "issued keys only, but there are none; name their file with --api-keys-file"
        }
        KeyPolicy::Issued => "issued keys only; bankfeed key create makes one",
    };
    format!(
        "bankfeed {version} listens on {local_url}\n\
         \x20 database  {database}\n\
         \x20 keys      {keys}\n\
         \x20 SDKs      set the API base to {url}{example}",
        version = env!("CARGO_PKG_VERSION"),
    )
}

fn begin_log(settings: &Settings) {
    let log = tracing_subscriber::fmt()
        .with_max_level(settings.log_level)
        .with_writer(std::io::stderr)
        .with_target(false);
    // A second start in one process, as in tests, keeps the log of the first.
    let _ = match settings.log_format {
        LogFormat::Human => log.with_ansi(output::is_coloured_log()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
