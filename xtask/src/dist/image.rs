//! The OCI image layout: the C library and certificates from Debian packages, and the program, as an
//! ordinary user. No shell and no compiler are in it.

use super::archive::REPEATABLE;
use super::{Packages, at, sha256, write as write_text};
use crate::Failure;
use crate::process::{self, program, root};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const USER: &str = "10001";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layer: the digests of its compressed and its plain form, and the bytes of the compressed form.
struct Layer {
    digest: String,
    plain: String,
    bytes: u64,
}

/// The name of the image's file.
pub(super) fn name(packages: &Packages) -> String {
    format!("bankfeed-{}-oci.tar", packages.version)
}

/// Writes the image as an archive of its layout.
pub(super) fn write(packages: &Packages) -> Result<(), Failure> {
    let layout = packages.staged("oci-layout")?;
    let system = system_files(packages)?;
    let own = packages.staged("oci-program")?;
    packages.put_program(&own, "usr/bin/bankfeed")?;
    packages.put_licences(&own.join("usr/share/doc/bankfeed"))?;
    let data = packages.staged("oci-data")?;
    fs::create_dir_all(data.join("data")).map_err(at(&data))?;
    // The data of `serve --memory`.
    let temporary = packages.staged("oci-tmp")?;
    fs::create_dir_all(temporary.join("tmp")).map_err(at(&temporary))?;
    let layers = [
        layer(packages, &layout, &system, "0", "u=rwX,go=rX")?,
        layer(packages, &layout, &own, "0", "u=rwX,go=rX")?,
        layer(packages, &layout, &data, USER, "u=rwX,go=")?,
        layer(packages, &layout, &temporary, "0", "1777")?,
    ];
    let source = root().join("packaging/oci/config.json");
    let text = fs::read_to_string(&source).map_err(at(&source))?;
    let config: Value = serde_json::from_str(&text).map_err(|error| format!("{error}"))?;
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": layers.each_ref().map(|layer| &layer.plain)},
    });
    let (config, config_bytes) = blob(&layout, &config)?;
    let described = layers
        .each_ref()
        .map(|layer| json!({"mediaType": LAYER_TYPE, "digest": layer.digest, "size": layer.bytes}));
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": CONFIG_TYPE, "digest": config, "size": config_bytes},
        "layers": described,
    });
    let (manifest, manifest_bytes) = blob(&layout, &manifest)?;
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": MANIFEST_TYPE,
            "digest": manifest,
            "size": manifest_bytes,
            "annotations": {
                "org.opencontainers.image.ref.name": packages.version,
                // The name after `docker load`.
                "io.containerd.image.name": format!("docker.io/library/bankfeed:{}", packages.version),
            },
        }],
    });
    write_text(&layout.join("index.json"), &index.to_string())?;
    write_text(&layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    let mut tar = program("tar", REPEATABLE);
    tar.args(["--create", "--file"]).arg(packages.folder.join(name(packages)));
    process::run(tar.arg("--directory").arg(&layout).arg("."))
}

/// The files below the program: those of the Debian packages, a user, and the list of certificates.
fn system_files(packages: &Packages) -> Result<PathBuf, Failure> {
    let source = root().join("packaging/oci/packages.txt");
    let text = fs::read_to_string(&source).map_err(at(&source))?;
    let names = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let downloads = packages.staged("oci-debian")?;
    // The programs of a new machine may have no list of packages yet.
    process::run(&mut program("apt-get", &["update", "-qq"]))?;
    let mut download = program("apt-get", &["download", "-qq"]);
    process::run(download.args(names).current_dir(&downloads))?;
    let files = packages.staged("oci-system")?;
    for package in super::names_in(&downloads)? {
        let mut extract = program("dpkg-deb", &["--extract"]);
        process::run(extract.arg(downloads.join(package)).arg(&files))?;
    }
    for unused in ["usr/share/doc", "usr/share/man", "usr/share/lintian", "usr/share/gcc"] {
        let unused = files.join(unused);
        if unused.exists() {
            fs::remove_dir_all(&unused).map_err(at(&unused))?;
        }
    }
    write_text(
        &files.join("etc/passwd"),
        &format!("bankfeed:x:{USER}:{USER}::/data:/usr/sbin/nologin\n"),
    )?;
    write_text(&files.join("etc/group"), &format!("bankfeed:x:{USER}:\n"))?;
    let certificates = files.join("usr/share/ca-certificates/mozilla");
    let mut names = super::names_in(&certificates)?;
    names.sort();
    let mut bundle = String::new();
    for name in names {
        let file = certificates.join(name);
        bundle += &fs::read_to_string(&file).map_err(at(&file))?;
    }
    write_text(&files.join("etc/ssl/certs/ca-certificates.crt"), &bundle)?;
    Ok(files)
}

/// Writes the files of a folder as a layer of the layout.
fn layer(
    packages: &Packages,
    layout: &Path,
    files: &Path,
    owner: &str,
    mode: &str,
) -> Result<Layer, Failure> {
    let plain = packages.stage.join("layer.tar");
    let mut tar = program("tar", REPEATABLE);
    tar.arg(format!("--owner={owner}")).arg(format!("--group={owner}"));
    tar.arg(format!("--mode={mode}")).args(["--create", "--file"]).arg(&plain);
    // The files by their names, because the root of an image keeps its own mode and owner.
    let names = super::names_in(files)?;
    process::run(tar.arg("--directory").arg(files).args(names))?;
    let digest = sha256(&plain)?;
    process::run(program("gzip", &["--no-name", "--force", "-9"]).arg(&plain))?;
    let packed = plain.with_extension("tar.gz");
    let (packed_digest, bytes) =
        (sha256(&packed)?, fs::metadata(&packed).map_err(at(&packed))?.len());
    super::copy(&packed, &layout.join("blobs/sha256").join(&packed_digest))?;
    Ok(Layer {
        digest: format!("sha256:{packed_digest}"),
        plain: format!("sha256:{digest}"),
        bytes,
    })
}

/// Writes a JSON object as a blob. Returns its digest and its bytes.
fn blob(layout: &Path, object: &Value) -> Result<(String, usize), Failure> {
    let text = object.to_string();
    let place = layout.join("blobs/sha256/new");
    write_text(&place, &text)?;
    let digest = sha256(&place)?;
    fs::rename(&place, place.with_file_name(&digest)).map_err(at(&place))?;
    Ok((format!("sha256:{digest}"), text.len()))
}
