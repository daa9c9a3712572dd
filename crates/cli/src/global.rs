//! The flags of every command: the server's address, the API key, and the form of the output.

use clap::Args;
use settings::{API_BASE_VARIABLE, API_KEY_VARIABLE};

/// The key of commands without a key. By default a server accepts any test key.
pub(crate) const DEFAULT_KEY: &str = "sk_test_123";

/// The flags of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub struct GlobalFlags {
    /// API key, which selects the sandbox
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        default_value = DEFAULT_KEY,
        env = API_KEY_VARIABLE,
        hide_env_values = true
    )]
    pub api_key: String,
    /// Address of the server
    #[arg(
        long,
        global = true,
        visible_alias = "url",
        value_name = "URL",
        default_value = "http://127.0.0.1:12111",
        env = API_BASE_VARIABLE,
        hide_env_values = true
    )]
    pub api_base: String,
    /// Print JSON: one document, or one line for each object of a list
    #[arg(long, global = true)]
    pub json: bool,
}
