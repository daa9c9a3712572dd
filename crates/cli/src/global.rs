//! The flags of every command: the server's address, the API key, and the form of the output.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use settings::{API_BASE_VARIABLE, API_KEY_VARIABLE};

/// The key of commands without a key. By default a server accepts any test key.
pub(crate) const DEFAULT_KEY: &str = "sk_test_123";

/// The flags of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub struct GlobalFlags {
    /// API key, which selects the merchant
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        default_value = DEFAULT_KEY,
        help = "API key, which selects the merchant [env: BANKFEED_API_KEY]"
    )]
    pub api_key: String,
    /// Address of the server
    #[arg(
        long,
        global = true,
        visible_alias = "url",
        value_name = "URL",
        default_value = "http://127.0.0.1:12111",
        help = "Address of the server [env: BANKFEED_API_BASE]"
    )]
    pub api_base: String,
    /// Print JSON: one document, or one line for each object of a list
    #[arg(long, global = true)]
    pub json: bool,
    /// True if the user chose the key, by the flag or the variable.
    #[arg(skip)]
    pub is_key_chosen: bool,
    /// True if the user chose the address.
    #[arg(skip)]
    pub is_base_chosen: bool,
}

impl GlobalFlags {
    /// Replaces defaults with the values of environment variables. The parser does not read the
    /// variables, because it would list their flags in the usage lines of errors.
    #[must_use]
    pub fn with_variables(mut self, matches: &ArgMatches) -> Self {
        let values = [
            ("api_key", API_KEY_VARIABLE, &mut self.api_key, &mut self.is_key_chosen),
            ("api_base", API_BASE_VARIABLE, &mut self.api_base, &mut self.is_base_chosen),
        ];
        for (id, variable, value, is_chosen) in values {
            let is_default = matches.value_source(id) == Some(ValueSource::DefaultValue);
            *is_chosen = !is_default;
            if let Some(text) = std::env::var(variable).ok().filter(|_| is_default) {
                *value = text;
                *is_chosen = true;
            }
        }
        self
    }
}
