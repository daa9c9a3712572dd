//! Help texts of the command line, as `clap` takes them from doc comments: one of each command and
//! one of each flag.

/// Characters of a command's help text.
const ABOUT_CHARS_MAX: usize = 60;

/// One help text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Help {
    pub(super) line: usize,
    pub(super) text: String,
    /// True for a command, false for a flag.
    pub(super) is_command: bool,
}

/// The help texts of a formatted file.
pub(super) fn texts(source: &str) -> Vec<Help> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(derived) = line.strip_prefix("#[derive(") else { continue };
        let has = |name: &str| derived.split([',', ')', ' ']).any(|word| word == name);
        let is_command = has("Subcommand");
        if is_command || has("Args") || has("Parser") {
            members(&lines, start, is_command, &mut found);
        }
    }
    found
}

/// Reads the doc comments of a type's variants or fields.
fn members(lines: &[&str], start: usize, is_command: bool, found: &mut Vec<Help>) {
    let (mut paragraph, mut begins, mut ended) = (String::new(), 0, false);
    let body = lines.iter().enumerate().skip(start).skip_while(|(_, line)| !line.ends_with('{'));
    for (number, line) in body.skip(1).take_while(|(_, line)| !line.starts_with('}')) {
        match line.strip_prefix("    ///").map(str::trim) {
            Some("") => ended = true,
            Some(text) if !ended => {
                if paragraph.is_empty() {
                    begins = number + 1;
                } else {
                    paragraph.push(' ');
                }
                paragraph.push_str(text);
            }
            Some(_) => {}
            None => {
                if !paragraph.is_empty() {
                    let text = std::mem::take(&mut paragraph);
                    found.push(Help { line: begins, text, is_command });
                }
                ended = false;
            }
        }
    }
}

/// The fault of a command's help text, or `None`.
pub(super) fn fault(text: &str) -> Option<String> {
    // Clap drops the full stop of a doc comment.
    let text = text.strip_suffix('.').unwrap_or(text);
    let chars = text.chars().count();
    if chars > ABOUT_CHARS_MAX {
        return Some(format!("{chars} characters, at most {ABOUT_CHARS_MAX}"));
    }
    let first = text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    (!is_imperative(first)).then(|| format!("{first:?} is not an imperative"))
}

/// True if a word can be an imperative. Verbs in the third person end in `s`.
fn is_imperative(word: &str) -> bool {
    const OTHERS: [&str; 14] = [
        "A", "An", "How", "It", "The", "This", "What", "When", "Where", "Whether", "Which", "Who",
        "Whose", "Why",
    ];
    let third_person = word.ends_with('s') && !word.ends_with("ss");
    word.starts_with(char::is_uppercase) && !third_person && !OTHERS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::{Help, fault, texts};

    /// The first paragraph of each doc comment is the help text. Other types have none.
    #[test]
    fn reads_doc_comments() {
        let source = "\
/// Not a help text.
#[derive(Debug, Subcommand)]
enum Command {
    /// Refresh a bank
    /// account.
    ///
    /// More text.
    Refresh(Flags),
}

#[derive(Args)]
struct Flags {
    /// The account's id.
    #[arg(long)]
    id: String,
    plain: bool,
}

#[derive(Debug)]
struct Other {
    /// A field.
    x: u8,
}
";
        let help = |line, text: &str, is_command| Help { line, text: text.into(), is_command };
        assert_eq!(
            texts(source),
            [help(4, "Refresh a bank account.", true), help(13, "The account's id.", false)]
        );
    }

    /// A command's help text is a short imperative.
    #[test]
    fn commands_are_short_imperatives() {
        assert_eq!(fault("Refresh a bank account."), None);
        assert_eq!(fault("Process events"), None);
        assert!(fault("Refreshes a bank account.").unwrap().contains("imperative"));
        assert!(fault("The bank accounts").unwrap().contains("imperative"));
        assert!(fault(&"Refresh ".repeat(9)).unwrap().contains("at most 60"));
    }
}
