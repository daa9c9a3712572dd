//! Logins at banks of scenarios: a question at every login, and logins that last for some time.

use super::scenario::linked;
use super::*;
use crate::sandbox::export::History;
use model::account::{ExpectedCause, InactiveCause, StatusAction};
use model::clock::DAY_S;

fn bank(keys: &str) -> String {
    format!(
        "name = \"One\"\naccounts = [{{ name = \"Checking\" }}]\n[[institutions]]\nname = \"One\"\n{keys}"
    )
}

/// The bank's next request after a form with this value, or its error.
fn next(sandbox: &Sandbox, state: &[u8], field: &str, value: &str) -> Result<Step, LinkError> {
    sandbox.advance(state, &Input::Fields(vec![(field.to_owned(), value.to_owned())]))
}

/// The bank asks its question at every login, after user name and password. It accepts any answer
/// except for the two words that stand for errors.
#[test]
fn a_question_at_every_login() {
    let words = [
        ("options", "option"),
        ("mfa", "code"),
        ("confirm_mfa", "confirmation"),
        ("security_question", "answer"),
    ];
    for (word, field) in words {
        let text = bank(&format!("challenge = \"{word}\""));
        let scenario = Arc::new(Scenario::read(&text).unwrap());
        let sandbox = Sandbox::new(1).with_scenarios([scenario]);
        let institution = sandbox.find_institution("One").unwrap().id;
        for login in 0..2 {
            let now = LINKED.plus(login * DAY_S);
            let begin = Begin { institution, holder_key: "jenny", now };
            let Ok(Step::Ask { state, fields }) = sandbox.begin(&begin) else { panic!("{word}") };
            assert_eq!(fields, ["username", "password"]);
            let asked = next(&sandbox, &state, "password", "secret");
            let Ok(Step::Ask { state, fields }) = asked else { panic!("{asked:?}") };
            assert_eq!(fields, [field]);
            assert_eq!(next(&sandbox, &state, field, "incorrect"), Err(LinkError::Rejected));
            assert_eq!(next(&sandbox, &state, field, "error"), Err(LinkError::Failed));
            let done = next(&sandbox, &state, field, "Rex");
            assert!(matches!(done, Ok(Step::Done { .. })), "{done:?}");
        }
    }
}

/// A login that lasts is announced to end thirty days before, ends the access, and lasts as long
/// after the next link. An export keeps the keys.
#[test]
fn a_login_lasts_from_each_link() {
    let mut example = linked(&bank("login_lasts = \"90d\""));
    let day = |day: i64| LINKED.plus(day * DAY_S);
    let watch = |example: &Example, at| example.sandbox.watch(&example.account(), at);
    let expected = |example: &Example, at| {
        let expected = watch(example, at).expected_deactivation.unwrap();
        assert_eq!(expected.cause, ExpectedCause::InstitutionRequirement);
        (expected.at, expected.announced)
    };
    assert_eq!(expected(&example, day(0)), (day(90), false));
    assert_eq!(watch(&example, day(0)).next_change_at, Some(day(60)));
    assert_eq!(expected(&example, day(60)), (day(90), true));
    assert_eq!(watch(&example, day(60)).next_change_at, Some(day(90)));
    let lost = Some((InactiveCause::InstitutionRequirement, StatusAction::RelinkRequired));
    assert_eq!((watch(&example, day(89)).lost, watch(&example, day(90)).lost), (None, lost));
    assert!(example.fetch(Feature::Balance, 1, day(90)).result.is_err());
    example.relinked_at = day(100);
    assert_eq!(watch(&example, day(100)).lost, None);
    assert_eq!(expected(&example, day(100)), (day(190), false));

    let example = linked(&bank("challenge = \"mfa\"\nlogin_lasts = \"90d\""));
    let exported =
        example.control().export(&example.account(), day(1), "One", &History::default()).unwrap();
    assert!(exported.contains("challenge = \"mfa\"\nlogin_lasts = \"7776000s\""), "{exported}");
}

/// Each error about a login has its line and its key.
#[test]
fn errors_have_line_and_key() {
    let files = [
        "challenge = \"riddle\"",
        "login = \"bank_page\"\nchallenge = \"mfa\"",
        "login_lasts = \"soon\"",
    ];
    let errors = files.map(|keys| Scenario::read(&bank(keys)).unwrap_err().to_string());
    insta::assert_snapshot!(errors.join("\n"), @r#"
    line 5: institutions.challenge: 'riddle' is unknown; use one of: options, mfa, confirm_mfa, security_question
    line 6: institutions.challenge: needs the login form, because only a form asks questions
    line 5: institutions.login_lasts: a number with s, m, h or d is expected, such as "90s" or "2d", from 1s to 3700d
    "#);
}
