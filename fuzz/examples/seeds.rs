//! Writes the seeds of each target below `corpus`, where `cargo fuzz` reads them.

use bankfeed_fuzz::TARGETS;
use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, text) in (target.seeds)().into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), text)?;
        }
    }
    Ok(())
}
