//! A settings file with every setting and its default, as a starting point of one's own.
//!
//! Every line is a comment, so the file as it is sets nothing.

use crate::{ENTRIES, FILE_VARIABLE, variable_of};
use std::fmt::Write as _;

/// The text of a settings file. Remove the `#` in front of a setting to change it.
pub fn defaults_file() -> String {
    let mut file = format!(
        "## The settings of `bankfeed serve` with their defaults. Remove the # in front of a setting, change\n\
         ## its value, and name the file with --config or {FILE_VARIABLE}. A flag has the name of the key, and\n\
         ## overrides the variable, which overrides the file. An empty text sets nothing.\n"
    );
    let mut heading = "";
    for entry in ENTRIES.iter().filter(|entry| !entry.hidden) {
        if entry.heading != heading {
            heading = entry.heading;
            push(&mut file, format_args!("\n\n### {heading}\n"));
        }
        let form = entry.value.unwrap_or("true|false");
        let variable = variable_of(entry.name);
        let list = if entry.repeats { " or a list" } else { "" };
        push(&mut file, format_args!("\n## {}\n## {form}{list}, {variable}\n", entry.help));
        if let Some(realistic) = entry.realistic {
            push(&mut file, format_args!("## With realistic: {realistic}\n"));
        }
        let value = match entry.value {
            _ if entry.repeats => format!("[{}]", entry.default),
            Some(_) if !is_whole(entry.default) => {
                toml::Value::String(entry.default.to_owned()).to_string()
            }
            _ => entry.default.to_owned(),
        };
        push(&mut file, format_args!("#{} = {value}\n", entry.name));
    }
    file
}

fn push(file: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = file.write_fmt(text);
}

/// True for a whole number without quotes.
fn is_whole(text: &str) -> bool {
    text.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, resolve};
    use std::collections::BTreeMap;

    /// Resolves a settings file with this text.
    fn of_file(text: &str) -> crate::Resolved {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        resolve(&BTreeMap::new(), |_| None, Some(file.path())).unwrap()
    }

    /// The file as it is sets nothing. Without the marks in front of its settings, it sets each one to
    /// its default.
    #[test]
    fn the_file_equals_the_defaults() {
        let text = defaults_file();
        let plain = of_file(&text);
        let is_setting = |line: &str| line.starts_with('#') && !line.starts_with("##");
        let lines = text.lines().map(|line| if is_setting(line) { &line[1..] } else { line });
        let set = of_file(&lines.collect::<Vec<_>>().join("\n"));
        for entry in ENTRIES.iter().filter(|entry| !entry.hidden) {
            assert_eq!(plain.get(entry.name), (entry.default, &Source::Default));
            assert_eq!(set.get(entry.name).0, entry.default, "{}", entry.name);
            assert!(set.is_set(entry.name), "{}", entry.name);
        }
        let defaults = resolve(&BTreeMap::new(), |_| None, None).unwrap();
        let settings = format!("{:?}", defaults.settings().unwrap());
        assert_eq!(format!("{:?}", plain.settings().unwrap()), settings);
        assert!(set.settings().is_ok());
    }
}
