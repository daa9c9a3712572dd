//! A server, built from its settings: store, banks, engine, workers, HTTP.
//!
//! A stop runs in reverse. New requests are rejected, the workers finish their current work, and
//! the database is closed. A server that is killed instead starts again in the same way.

use crate::addresses::{hosts, url_of};
use crate::clock::SystemClock;
use crate::engine_settings::{engine_settings, failpoints, lab_settings};
use crate::http::{self, App, Hosts, IssuedKeys, Keys, OtherServer, Record};
use crate::logo::Logo;
use crate::rng::Streams;
use crate::tls::{Certificate, TlsError};
use connectors::Connector;
use connectors::sandbox::Sandbox;
use connectors::sandbox::scenario::{Scenario, ScenarioError, ready};
use engine::hooks::NoHooks;
use engine::observer::IgnoreAll;
use engine::{Engine, Outbounds, Parts, worker};
use lab::{Instruments, Lab};
use model::clock::Rng;
use model::limits::{DELIVERY_TIMEOUT_MS, READERS_MAX};
use model::numbers::Numbers;
use outbound::{Outbound, OutboundSettings, PrivateAddresses};
use rustls::ServerConfig;
use settings::{Database, KeyPolicy, Metrics, Settings, SettingsError, folder_of};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{KeyFileError, OpenError, Place, Store, StoreBounds, StoreSettings};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The bytes of the key that seals secrets.
pub const SEAL_KEY_BYTES: usize = 32;

/// The cause of a failed start, or of a server's failure.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system provided no randomness.
    #[error("could not get randomness from the operating system")]
    Randomness(#[source] getrandom::Error),
    /// The address cannot be listened on.
    #[error("could not listen on {address}")]
    Listen {
        /// The address as in the settings.
        address: String,
        /// The setting.
        setting: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A setting has a form that the server cannot use.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Other machines could use any key.
    #[error(
        "other machines can reach {0}, and any test key would open this server to them; use \
         --keys issued, or --keys any if all of them may use it"
    )]
    AnyKeyInPublic(SocketAddr),
    /// The file of the seal key cannot be read or written.
    #[error("could not use the seal key file {}", .path.display())]
    SealKeyFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file of the seal key contains something else.
    #[error("the seal key file {} must hold {SEAL_KEY_BYTES} bytes in hexadecimal", .0.display())]
    SealKey(PathBuf),
    /// The database exists, and the key that it was sealed with does not.
    #[error("there is a database but no seal key file {}; put the file back", .0.display())]
    LostSealKey(PathBuf),
    /// The folder of the database does not exist.
    #[error("the folder {} of the database does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The database was not opened.
    #[error("could not open the store")]
    Store(#[from] OpenError),
    /// The writer of the database has ended, so the server can store no more changes.
    #[error("the database takes no more writes, so the server stops")]
    WriterEnded,
    /// The file of issued keys cannot be used.
    #[error("could not open the issued keys in {}", .path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: KeyFileError,
    },
    /// A scenario's file cannot be read.
    #[error("could not read the scenario {}", .path.display())]
    ScenarioFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A scenario's file describes something that a bank could not do.
    #[error("could not use the scenario {}", .path.display())]
    Scenario {
        /// The file.
        path: PathBuf,
        /// The position and the cause.
        #[source]
        source: ScenarioError,
    },
    /// The ready file cannot be written.
    #[error("could not write the ready file {}", .path.display())]
    ReadyFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The record of calls cannot be opened.
    #[error("could not open the record {}", .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The certificate for TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The HTTP server failed.
    #[error("the HTTP server failed")]
    Serve(#[source] io::Error),
}

/// A running server.
pub struct Started {
    /// The public URL for clients, without a slash at the end.
    pub url: String,
    /// The URL of the listening address on this machine.
    pub local_url: String,
    /// The URL of the metrics on this machine, unless they are off.
    pub metrics_url: Option<String>,
    /// The accepted keys.
    pub keys: KeyPolicy,
    lab: Arc<Lab>,
    certificate: Option<Arc<Certificate>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<io::Result<()>>,
    workers: JoinHandle<()>,
}

/// Parses the settings with a form that only the server knows. The others were parsed before.
pub fn check_settings(settings: &Settings) -> Result<(), SettingsError> {
    lab_settings(settings)?;
    failpoints(settings)?;
    Logo::of(settings)?;
    Ok(())
}

/// Starts a server. It is ready for requests when this returns.
pub async fn start(settings: &Settings) -> Result<Started, StartError> {
    check_settings(settings)?;
    let streams = match settings.seed {
        Some(seed) => Streams::seeded(seed),
        None => Streams::from_system().map_err(StartError::Randomness)?,
    };
    let certificate = settings.tls.clone().map(Certificate::read).transpose()?.map(Arc::new);
    let tls = certificate.as_ref().map(Certificate::config).transpose()?;
    let (listener, address) = listen("listen", &settings.listen).await?;
    let keys = match settings.keys {
        Some(keys) => keys,
        None if address.ip().is_loopback() => KeyPolicy::Any,
        None => return Err(StartError::AnyKeyInPublic(address)),
    };
    let metrics = match &settings.metrics {
        Some(metrics) => metrics.clone(),
        None if address.ip().is_loopback() => Metrics::On,
        None => Metrics::Off,
    };
    let metrics_listener = match &metrics {
        Metrics::At(address) => Some(listen("metrics", address).await?),
        Metrics::On | Metrics::Off => None,
    };
    let local_url = url_of(if tls.is_some() { "https" } else { "http" }, address);
    let url = settings.public_url.clone().unwrap_or_else(|| local_url.clone());
    let metrics_url = match (&metrics, &metrics_listener) {
        (_, Some((_, address))) => Some(format!("{}/metrics", url_of("http", *address))),
        (Metrics::On, None) => Some(format!("{local_url}/metrics")),
        (Metrics::Off | Metrics::At(_), None) => None,
    };
    let Streams { objects, internals, request_ids, visits } = streams;
    let (lab, issued) = build_lab(settings, &url, objects, internals)?;
    let engine = Arc::clone(lab.engine());
    let (stop, stopping) = watch::channel(false);
    let key_store = Keys { policy: keys, issued };
    let app = App::new(Arc::clone(&lab), key_store, request_ids, visits)
        .strict(settings.strict)
        .with_logo(Logo::of(settings)?)
        .behind(settings.trusted_proxies.clone())
        .at_hosts(hosts(settings, address, keys))
        .forwarding(settings.other_server.as_deref().map(OtherServer::at))
        .recording(open_record(settings.record.as_deref())?);
    let app = match metrics {
        Metrics::Off => app,
        Metrics::On => app.measuring(true),
        Metrics::At(_) => app.measuring(false),
    };
    if let (Some(url), Some(_)) = (&metrics_url, &metrics_listener) {
        tracing::info!(url, "metrics have an address of their own");
    }
    let metrics_listener = metrics_listener.map(|(listener, address)| {
        // Metrics need no key under either policy.
        (listener, hosts(settings, address, KeyPolicy::Issued))
    });
    let listeners = Listeners { api: listener, tls, metrics: metrics_listener };
    let serving = tokio::spawn(serve(listeners, Arc::new(app), stopping.clone()));
    let workers = tokio::spawn(worker::run(engine, stopping));
    if let Some(path) = &settings.ready_file {
        write_whole(path, &format!("{local_url}\n"))
            .map_err(|source| StartError::ReadyFile { path: path.clone(), source })?;
    }
    Ok(Started { url, local_url, metrics_url, keys, lab, certificate, stop, serving, workers })
}

async fn listen(
    setting: &'static str,
    address: &str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address: address.to_owned(), setting, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// The listeners of a server.
struct Listeners {
    api: TcpListener,
    /// TLS for the API.
    tls: Option<Arc<ServerConfig>>,
    /// The listener of the metrics and its hosts, if they have one of their own. It never speaks TLS.
    metrics: Option<(TcpListener, Hosts)>,
}

/// Serves the API, and the metrics if they have a listener of their own.
async fn serve(listeners: Listeners, app: Arc<App>, stop: watch::Receiver<bool>) -> io::Result<()> {
    let Listeners { api, tls, metrics } = listeners;
    let api = http::serve_within(api, tls, Arc::clone(&app), stop.clone());
    match metrics {
        Some((listener, hosts)) => {
            tokio::try_join!(api, http::serve_metrics(listener, hosts, app, stop)).map(|_| ())
        }
        None => api.await,
    }
}

impl Started {
    /// True if the server speaks TLS.
    pub fn has_tls(&self) -> bool {
        self.certificate.is_some()
    }

    /// Reads the certificate for TLS again, for new connections. If its files cannot be used, the
    /// certificate stays.
    pub fn reload_certificate(&self) -> Result<(), TlsError> {
        self.certificate.as_ref().map_or(Ok(()), |certificate| certificate.reload())
    }

    /// Waits until the HTTP server fails, or the database takes no more writes.
    pub async fn failed(&mut self) -> StartError {
        let served = tokio::select! {
            served = &mut self.serving => served,
            () = self.lab.engine().store().writer_ended() => return StartError::WriterEnded,
        };
        let ended = served.unwrap_or_else(|error| Err(io::Error::other(error)));
        let unasked = || io::Error::other("it ended without being asked to");
        StartError::Serve(ended.err().unwrap_or_else(unasked))
    }

    /// Stops accepting requests, finishes the current work and closes the database.
    pub async fn stop(self) -> Result<(), StartError> {
        let _ = self.stop.send(true);
        // Waits could be the longest of the current requests.
        self.lab.end_waits();
        let served = if self.serving.is_finished() {
            Ok(())
        } else {
            self.serving.await.unwrap_or_else(|error| Err(io::Error::other(error)))
        };
        if let Err(error) = self.workers.await {
            tracing::error!(error = &error as &dyn std::error::Error, "a worker panicked");
        }
        self.lab.engine().store().close().await;
        served.map_err(StartError::Serve)
    }
}

/// Builds the engine, and the laboratory around it. The engine reads registrations from the issued
/// keys.
fn build_lab(
    settings: &Settings,
    url: &str,
    objects: Arc<dyn Rng>,
    internals: Arc<dyn Rng>,
) -> Result<(Arc<Lab>, IssuedKeys), StartError> {
    let clock = Arc::new(SystemClock { account_time: settings.time });
    // The scenarios are read before the database is created, so that an invalid file leaves no
    // database.
    let scenarios = scenarios(&settings.scenarios)?;
    let (database, place) = match &settings.database {
        Database::File(path) => (Some(path.as_path()), Place::File(path.clone())),
        Database::Temporary => (None, Place::Temporary),
    };
    if let Some(folder) = database.map(folder_of).filter(|folder| !folder.is_dir()) {
        return Err(StartError::NoFolder(folder.to_owned()));
    }
    let failpoints = failpoints(settings)?;
    let used_before = database.is_some_and(Path::exists);
    let issued = issued_keys(settings.api_keys_file.as_deref())?;
    let bounds =
        StoreBounds { sandbox_idle_days: settings.sandbox_idle_days, ..StoreBounds::default() };
    let store = Store::open(StoreSettings {
        place,
        seal_key: seal_key(settings.seal_key_file.as_deref(), database, &*internals)?,
        failpoints: failpoints.clone(),
        rng: internals,
        clock: Arc::clone(&clock) as Arc<_>,
        readers: READERS_MAX,
        bounds,
        kept: Arc::new(issued.clone()),
    })?;
    let engine_settings =
        engine::Settings { public_url: url.to_owned(), ..engine_settings(settings) };
    let sandbox = Sandbox::new(settings.seed.unwrap_or(0)).with_scenarios(scenarios);
    let mut parts = Parts {
        store,
        connector: Connector::Sandbox(sandbox),
        outbound: outbounds(settings),
        clock: Arc::clone(&clock) as Arc<_>,
        rng: objects,
        settings: engine_settings,
        failpoints,
        observer: Arc::new(IgnoreAll),
        hooks: Arc::new(NoHooks),
        registry: Arc::new(issued.clone()),
    };
    let instruments = Instruments::install(&mut parts, lab_settings(settings)?);
    let engine = Engine::new(parts);
    // With a fixed time, the ids of the previous process would repeat.
    let engine = match settings.time {
        Some(_) if used_before => engine.with_numbers(Numbers::after_restart(&*clock)),
        _ => engine,
    };
    Ok((Arc::new(Lab::new(Arc::new(engine), instruments)), issued))
}

/// The clients that post webhooks. Live webhooks go to public addresses by `https`, and by either scheme
/// to the networks that the operator allows.
fn outbounds(settings: &Settings) -> Outbounds {
    let timeout_ms = DELIVERY_TIMEOUT_MS.min(settings.lease_ms.unsigned_abs() / 4 * 3);
    let allowed = PrivateAddresses::Within(settings.webhook_allow.as_slice().into());
    if !settings.webhook_allow.is_empty() {
        let networks: Vec<_> = settings.webhook_allow.iter().map(ToString::to_string).collect();
        tracing::warn!(
            networks = networks.join(","),
            "webhooks may go to these networks in live mode, also by http"
        );
    }
    let in_test =
        if settings.deny_private_webhooks { allowed.clone() } else { PrivateAddresses::All };
    let test = OutboundSettings { private: in_test, https_to_public: false, timeout_ms };
    let live = OutboundSettings { private: allowed, https_to_public: true, timeout_ms };
    Outbounds { test: Outbound::new(test), live: Outbound::new(live) }
}

/// Reads scenarios. A ready one is found by its name, the others by their files.
fn scenarios(names: &[String]) -> Result<Vec<Arc<Scenario>>, StartError> {
    let mut scenarios = Vec::with_capacity(names.len());
    for name in names {
        let path = PathBuf::from(name);
        let text = match ready::find(name) {
            Some(text) => text.to_owned(),
            None => fs::read_to_string(&path)
                .map_err(|source| StartError::ScenarioFile { path: path.clone(), source })?,
        };
        let read = Scenario::read(&text);
        let scenario = read.map_err(|source| StartError::Scenario { path, source })?;
        scenarios.push(Arc::new(scenario));
    }
    Ok(scenarios)
}

fn open_record(path: Option<&Path>) -> Result<Option<Record>, StartError> {
    let Some(path) = path else { return Ok(None) };
    let failed = |source| StartError::Record { path: path.to_owned(), source };
    Record::open(path).map(Some).map_err(failed)
}

fn issued_keys(path: Option<&Path>) -> Result<IssuedKeys, StartError> {
    let Some(path) = path else { return Ok(IssuedKeys::default()) };
    IssuedKeys::open(path).map_err(|source| StartError::Keys { path: path.to_owned(), source })
}

/// Returns the seal key. The first start creates it, and later starts read it.
fn seal_key(
    path: Option<&Path>,
    database: Option<&Path>,
    rng: &dyn Rng,
) -> Result<[u8; SEAL_KEY_BYTES], StartError> {
    let mut fresh = [0; SEAL_KEY_BYTES];
    rng.fill(&mut fresh);
    let Some(path) = path else { return Ok(fresh) };
    let failed = |source| StartError::SealKeyFile { path: path.to_owned(), source };
    if !path.exists() {
        if database.is_some_and(Path::exists) {
            return Err(StartError::LostSealKey(path.to_owned()));
        }
        make_seal_key(path, &fresh).map_err(failed)?;
    }
    // The file is read even after it was created, because another process may have been first.
    let text = fs::read_to_string(path).map_err(failed)?;
    read_seal_key(text.trim()).ok_or_else(|| StartError::SealKey(path.to_owned()))
}

/// Creates the file completely or not at all, readable by its owner only. It never overwrites an
/// existing file, because a database without its key cannot be read.
fn make_seal_key(path: &Path, key: &[u8]) -> io::Result<()> {
    let text = key.iter().fold(String::with_capacity(2 * key.len() + 1), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => fs::File::open(folder_of(path))?.sync_all(),
    }
}

/// Decodes the key from the text of its file.
pub fn read_seal_key(text: &str) -> Option<[u8; SEAL_KEY_BYTES]> {
    if text.len() != 2 * SEAL_KEY_BYTES || !text.is_ascii() {
        return None;
    }
    let mut key = [0; SEAL_KEY_BYTES];
    for (byte, place) in key.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[place..place + 2], 16).ok()?;
    }
    Some(key)
}

/// Writes a file atomically, so that a reader sees the whole text or no file.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    fs::write(&unfinished, text)?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// The settings decide which addresses webhooks reach in each mode.
    #[test]
    fn webhooks_reach_addresses_by_settings() {
        let urls = ["https://8.8.8.8/", "http://8.8.8.8/", "http://10.0.0.1/", "https://10.2.0.1/"];
        let reached = |flags: &[(&'static str, &str)]| {
            let flags = flags.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
            let settings = settings::resolve(&flags, |_| None, None).unwrap().settings().unwrap();
            let outbounds = outbounds(&settings);
            let check = |live| urls.map(|url| u8::from(outbounds.of(live).check_url(url).is_ok()));
            (check(false), check(true))
        };
        assert_eq!(reached(&[]), ([1, 1, 1, 1], [1, 0, 0, 0]));
        let (deny, allow) =
            (("deny-private-webhooks", "true"), ("webhook-allow", "10.0.0.0/16,192.168.0.0/16"));
        assert_eq!(reached(&[deny]), ([1, 1, 0, 0], [1, 0, 0, 0]));
        assert_eq!(reached(&[allow]), ([1, 1, 1, 1], [1, 0, 1, 0]));
        assert_eq!(reached(&[deny, allow]), ([1, 1, 1, 0], [1, 0, 1, 0]));
    }

    /// The key is created once, for its owner only, and stays the same at every later start.
    #[test]
    fn keeps_the_seal_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bankfeed.db.key");
        let first = seal_key(Some(&path), None, &*Streams::seeded(1).internals).unwrap();
        let later = seal_key(Some(&path), Some(&path), &*Streams::seeded(2).internals).unwrap();
        assert_eq!(first, later);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::write(&path, "short").unwrap();
        let failed = seal_key(Some(&path), None, &*Streams::seeded(1).internals).unwrap_err();
        assert!(matches!(failed, StartError::SealKey(_)), "{failed}");

        // A database without its key stays as it is, because a new key could not read it.
        let (lost, database) = (folder.path().join("lost"), path.as_path());
        let failed = seal_key(Some(&lost), Some(database), &*Streams::seeded(1).internals);
        assert!(matches!(failed, Err(StartError::LostSealKey(_))));
        assert!(!lost.exists());
    }
}
