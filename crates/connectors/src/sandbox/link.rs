//! The login at a test bank. The state of a login holds the bank, the holder's key and the last
//! question. The bank offers its accounts after the last question.

use super::banks::Sandbox;
use super::catalogue::{Challenge, Login};
use crate::interface::{Begin, Input, LinkError, Step};
use model::Word;
use model::clock::AccountTime;
use model::id::InstitutionId;
use serde::{Deserialize, Serialize};

const HOUR_S: i64 = 3_600;

/// A login in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LoginState {
    institution: InstitutionId,
    holder_key: String,
    /// The field of the last question. Absent after the first form, which has two fields.
    asked: Option<String>,
}

impl Sandbox {
    /// Begins a link at a bank.
    pub fn begin(&self, begin: &Begin<'_>) -> Result<Step, LinkError> {
        let bank = self.find_bank(begin.institution).ok_or(LinkError::UnknownInstitution)?;
        let state = LoginState {
            institution: begin.institution,
            holder_key: begin.holder_key.to_owned(),
            asked: None,
        };
        match bank.login() {
            Login::OAuth | Login::OAuthPick => Ok(Step::Redirect { state: bytes(&state) }),
            Login::Form | Login::Prompts => Ok(Step::Ask {
                state: bytes(&state),
                fields: vec!["username".to_owned(), "password".to_owned()],
            }),
            Login::DownUntil => {
                // A full hour, at least one hour later.
                let hour = begin.now.0.div_euclid(HOUR_S).saturating_add(2);
                let until = AccountTime(hour.saturating_mul(HOUR_S));
                Err(LinkError::Unavailable { until: Some(until) })
            }
            Login::Down => Err(LinkError::Unavailable { until: None }),
            Login::Fails => Err(LinkError::Failed),
        }
    }

    /// Continues a link.
    pub fn advance(&self, state: &[u8], input: &Input) -> Result<Step, LinkError> {
        let mut state: LoginState = serde_json::from_slice(state).map_err(|_| LinkError::Failed)?;
        let bank = self.find_bank(state.institution).ok_or(LinkError::UnknownInstitution)?;
        let prompt = match (bank.login(), input) {
            (Login::OAuth | Login::OAuthPick, Input::Returned) => None,
            (Login::Form, Input::Fields(fields)) => match (bank.challenge(), &state.asked) {
                (Some(challenge), None) => Some(challenge.field()),
                (Some(_), Some(_)) => {
                    answered(fields)?;
                    None
                }
                (None, _) => None,
            },
            (Login::Prompts, Input::Fields(fields)) => prompt(fields)?,
            // The holder came back without a login.
            _ => return Err(LinkError::Rejected),
        };
        let Some(field) = prompt else {
            let accounts = bank.offered(self.seed, &state.holder_key);
            return Ok(Step::Done { accounts });
        };
        state.asked = Some(field.to_owned());
        Ok(Step::Ask { state: bytes(&state), fields: vec![field.to_owned()] })
    }
}

/// The field of the question that the values lead to, if any. Values count in the order of the
/// fields, and the user name never counts. A value that is the word of a question leads to it.
fn prompt(fields: &[(String, String)]) -> Result<Option<&'static str>, LinkError> {
    for (name, value) in fields.iter().filter(|(name, _)| name != "username") {
        answered(&[(name.clone(), value.clone())])?;
        if let Some(challenge) = Challenge::ALL.iter().find(|known| known.word() == value) {
            return Ok(Some(challenge.field()));
        }
    }
    Ok(None)
}

/// Accepts any values except for the two that stand for errors.
fn answered(fields: &[(String, String)]) -> Result<(), LinkError> {
    for (_, value) in fields {
        match value.as_str() {
            "error" => return Err(LinkError::Failed),
            "incorrect" => return Err(LinkError::Rejected),
            _ => {}
        }
    }
    Ok(())
}

fn bytes(state: &LoginState) -> Vec<u8> {
    let Ok(bytes) = serde_json::to_vec(state) else {
        unreachable!("plain values with text keys always serialise");
    };
    bytes
}
