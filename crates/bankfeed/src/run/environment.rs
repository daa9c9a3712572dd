//! The variables and files through which a program finds the proxy and trusts its authority.
//!
//! Most clients read a variable. Stripe's own SDKs for Python, Node and Ruby do not, so a preload
//! changes them. The files are in a temporary folder, which is removed at the end.

use super::authority::Authority;
use super::hosts::{STRIPE_HOSTS, no_proxy};
use super::trust::{bundle, java_store};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

const PYTHON_PRELOAD: &str = include_str!("preload/sitecustomize.py");
const NODE_PRELOAD: &str = include_str!("preload/preload.cjs");
const RUBY_PRELOAD: &str = include_str!("preload/preload.rb");

/// The variables that name a proxy for `https` URLs, for `http` URLs or for both. Programs read them in
/// capital letters, in small letters or in both.
const PROXY: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// The variables that name a list of authorities. OpenSSL and Go, curl, the Python package `requests`,
/// Node, Deno.
const AUTHORITIES: [&str; 5] =
    ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "DENO_CERT"];
/// The hosts that Java calls without a proxy.
const JAVA_DIRECT: &str = "localhost|127.*|[::1]";

/// The variables of the command. `inherited` looks up those of this process, and `folder` takes the
/// files.
pub(super) fn prepare(
    folder: &Path,
    authority: &Authority,
    proxy: SocketAddr,
    inherited: impl Fn(&str) -> Option<OsString>,
) -> std::io::Result<Vec<(&'static str, OsString)>> {
    let text = |name: &str| inherited(name).and_then(|value| value.into_string().ok());
    let named: Vec<String> = AUTHORITIES.into_iter().filter_map(text).collect();
    let bundle = bundle(&authority.pem, &named);
    let path = |name: &str| folder.join(name).display().to_string();
    let python = folder.join("python");
    std::fs::create_dir(&python)?;
    std::fs::write(path("authority.pem"), &authority.pem)?;
    std::fs::write(path("authorities.pem"), &bundle)?;
    std::fs::write(path("authorities.jks"), java_store(&bundle))?;
    std::fs::write(python.join("sitecustomize.py"), PYTHON_PRELOAD)?;
    std::fs::write(path("preload.rb"), RUBY_PRELOAD)?;
    let node = NODE_PRELOAD
        .replace("{port}", &proxy.port().to_string())
        .replace("{hosts}", &STRIPE_HOSTS.join(","));
    std::fs::write(path("preload.cjs"), node)?;

    let url = format!("http://{proxy}");
    let mut variables: Vec<(&'static str, OsString)> = Vec::new();
    variables.extend(PROXY.map(|name| (name, url.clone().into())));
    let direct = text("NO_PROXY").or_else(|| text("no_proxy")).unwrap_or_default();
    let direct = no_proxy(&direct);
    variables.extend(["NO_PROXY", "no_proxy"].map(|name| (name, direct.clone().into())));
    variables.extend(AUTHORITIES.map(|name| (name, path("authorities.pem").into())));
    variables.push(("NODE_USE_ENV_PROXY", "1".into()));
    let after = |name: &str, separator: &str, flags: &str| match inherited(name) {
        Some(mut before) if !before.is_empty() => {
            before.push(separator);
            before.push(flags);
            before
        }
        _ => flags.into(),
    };
    let require = format!("--require \"{}\"", path("preload.cjs"));
    variables.push(("NODE_OPTIONS", after("NODE_OPTIONS", " ", &require)));
    variables.push(("RUBYOPT", after("RUBYOPT", " ", &format!("-r{}", path("preload.rb")))));
    let java = java_flags(proxy, &path("authorities.jks"));
    variables.push(("JAVA_TOOL_OPTIONS", after("JAVA_TOOL_OPTIONS", " ", &java)));
    // The first folder of the list takes precedence.
    let mut packages = python.into_os_string();
    if let Some(before) = inherited("PYTHONPATH").filter(|before| !before.is_empty()) {
        packages.push(":");
        packages.push(before);
    }
    variables.push(("PYTHONPATH", packages));
    Ok(variables)
}

fn java_flags(proxy: SocketAddr, store: &str) -> String {
    let (host, port) = (proxy.ip(), proxy.port());
    [
        format!("-Dhttps.proxyHost={host}"),
        format!("-Dhttps.proxyPort={port}"),
        format!("-Dhttp.proxyHost={host}"),
        format!("-Dhttp.proxyPort={port}"),
        format!("-Dhttp.nonProxyHosts={JAVA_DIRECT}"),
        format!("-Djavax.net.ssl.trustStore={store}"),
        "-Djavax.net.ssl.trustStoreType=JKS".to_owned(),
    ]
    .map(|flag| format!("\"{flag}\""))
    .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn variables(inherited: &[(&str, &str)]) -> BTreeMap<&'static str, String> {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(20_000).unwrap();
        let inherited = |name: &str| {
            let found = inherited.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let proxy = "127.0.0.1:7".parse().unwrap();
        let variables = prepare(folder.path(), &authority, proxy, inherited).unwrap();
        let path = folder.path().display().to_string();
        let shown = variables.into_iter().map(|(name, value)| {
            let value = value.into_string().unwrap().replace(&path, "DIR");
            // Each file exists while the command runs.
            let exists = |file: &str| folder.path().join(file).exists();
            for file in
                value.split(['"', ' ', ':', '=']).filter_map(|part| part.split("DIR/").nth(1))
            {
                assert!(exists(file), "{name}: {file}");
            }
            (name, value)
        });
        shown.collect()
    }

    /// Every language has a variable for the proxy and one for the authority.
    #[test]
    fn languages_find_proxy_and_authority() {
        let variables = variables(&[]);
        let lines: Vec<String> =
            variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        ALL_PROXY=http://127.0.0.1:7
        CURL_CA_BUNDLE=DIR/authorities.pem
        DENO_CERT=DIR/authorities.pem
        HTTPS_PROXY=http://127.0.0.1:7
        HTTP_PROXY=http://127.0.0.1:7
        JAVA_TOOL_OPTIONS="-Dhttps.proxyHost=127.0.0.1" "-Dhttps.proxyPort=7" "-Dhttp.proxyHost=127.0.0.1" "-Dhttp.proxyPort=7" "-Dhttp.nonProxyHosts=localhost|127.*|[::1]" "-Djavax.net.ssl.trustStore=DIR/authorities.jks" "-Djavax.net.ssl.trustStoreType=JKS"
        NODE_EXTRA_CA_CERTS=DIR/authorities.pem
        NODE_OPTIONS=--require "DIR/preload.cjs"
        NODE_USE_ENV_PROXY=1
        NO_PROXY=localhost,127.0.0.1,::1
        PYTHONPATH=DIR/python
        REQUESTS_CA_BUNDLE=DIR/authorities.pem
        RUBYOPT=-rDIR/preload.rb
        SSL_CERT_FILE=DIR/authorities.pem
        all_proxy=http://127.0.0.1:7
        http_proxy=http://127.0.0.1:7
        https_proxy=http://127.0.0.1:7
        no_proxy=localhost,127.0.0.1,::1
        "#);
    }

    /// Flags and folders of the user's environment stay, and the run's come in addition.
    #[test]
    fn inherited_flags_stay() {
        let variables = variables(&[
            ("NODE_OPTIONS", "--max-old-space-size=512"),
            ("PYTHONPATH", "src"),
            ("NO_PROXY", "db.internal,.stripe.com"),
            ("JAVA_TOOL_OPTIONS", "-Xmx1g"),
            ("RUBYOPT", ""),
        ]);
        assert!(variables["NODE_OPTIONS"].starts_with("--max-old-space-size=512 --require "));
        assert_eq!(variables["PYTHONPATH"], "DIR/python:src");
        assert_eq!(variables["no_proxy"], "localhost,127.0.0.1,::1,db.internal");
        assert!(variables["JAVA_TOOL_OPTIONS"].starts_with("-Xmx1g \"-Dhttps.proxyHost="));
        assert_eq!(variables["RUBYOPT"], "-rDIR/preload.rb");
    }
}
