//! Conversion of the process settings into the settings of the engine and of the laboratory, and into
//! the store's failpoints.

use crate::http::test_helpers::fault::read_fault;
use engine::settings::{Brand, CoolDown, RetrySchedule};
use lab::FaultRule;
use settings::{Settings, SettingsError};
use store::Failpoints;

/// Builds the engine's settings. The public URL is missing because it is known only once the server
/// listens.
pub(crate) fn engine_settings(settings: &Settings) -> engine::Settings {
    engine::Settings {
        refresh_delay_ms: settings.refresh_delay_ms,
        webhook_delay_ms: settings.webhook_delay_ms,
        cool_down_test: cool_down(settings.cool_down_test),
        cool_down_clock: cool_down(settings.cool_down_clock),
        cool_down_live: cool_down(settings.cool_down_live),
        show_refresh_errors: settings.show_refresh_errors,
        retry_test: retries(&settings.retry_test),
        retry_live: retries(&settings.retry_live),
        lease_ms: settings.lease_ms,
        poll_ms: settings.poll_ms,
        // A fixed seed requests two identical runs, including the order of events.
        in_order: settings.seed.is_some(),
        merchant_name: settings.merchant_name.clone(),
        brand: Brand {
            color: settings.merchant_color,
            logo: !settings.merchant_logo.text().is_empty(),
            address: settings.merchant_address.clone(),
        },
        public_url: engine::Settings::default().public_url,
    }
}

/// Builds the settings of the laboratory.
pub(crate) fn lab_settings(settings: &Settings) -> Result<lab::Settings, SettingsError> {
    Ok(lab::Settings { faults: faults(settings)? })
}

/// The failpoint that the settings arm, if any.
pub(crate) fn failpoints(settings: &Settings) -> Result<Failpoints, SettingsError> {
    match settings.failpoint.text() {
        "" => Ok(Failpoints::default()),
        text => Failpoints::parse(text)
            .ok_or_else(|| settings.failpoint.error("must be NAME:PASSES or NAME:PASSES:panic")),
    }
}

fn faults(settings: &Settings) -> Result<Vec<FaultRule>, SettingsError> {
    let read = |form| {
        read_fault(form).map_err(|error| {
            settings.faults.error(&format!("'{form}' is no fault: {}", error.message))
        })
    };
    settings.faults.values().map(read).collect()
}

fn cool_down(from: settings::CoolDown) -> CoolDown {
    let settings::CoolDown { balance_s, ownership_s, transactions_s } = from;
    CoolDown { balance_s, ownership_s, transactions_s }
}

fn retries(from: &settings::RetrySchedule) -> RetrySchedule {
    RetrySchedule { waits_ms: from.waits_ms.clone(), jitter_percent: from.jitter_percent }
}

#[cfg(test)]
mod tests {
    use super::*;
    use settings::resolve;
    use std::collections::BTreeMap;

    fn of_flags(flags: &[(&'static str, &str)]) -> Settings {
        let flags = flags.iter().map(|(name, text)| (*name, (*text).to_owned()));
        let flags: BTreeMap<_, _> = flags.collect();
        resolve(&flags, |_| None, None).unwrap().settings().unwrap()
    }

    /// The defaults of the process equal the defaults of the engine.
    #[test]
    fn defaults_are_the_engines() {
        assert_eq!(engine_settings(&of_flags(&[])), engine::Settings::default());
    }

    /// Faults are parsed in the same way as in the API call, and the error of an invalid fault
    /// gives the reason.
    #[test]
    fn faults_are_read() {
        let flags = [("fault", "kind=webhook_lost&every=3,kind=api_latency&delay_ms=5")];
        let faults = lab_settings(&of_flags(&flags)).unwrap().faults;
        assert_eq!(faults.len(), 2);
        assert_eq!((faults[0].share, faults[1].delay_ms), (lab::Share::Every(3), 5));
        let message = |form| {
            let message = lab_settings(&of_flags(&[("fault", form)])).unwrap_err().to_string();
            let beginning =
                format!("the setting fault (flag) is '{form}', but '{form}' is no fault: ");
            message.strip_prefix(&beginning).map(str::to_owned)
        };
        insta::assert_snapshot!(
            [
                "every=3",
                "kind=webhook_lost&path=/v1/",
                "kind=webhook_lost&webhook_endpoint=we_1",
                "kind=webhook_lost&x=1",
            ]
            .map(|form| message(form).unwrap())
            .join("\n"),
            @"
        Missing required parameter: kind.
        A fault of the kind webhook_lost has no path.
        A fault of every key names no webhook_endpoint.
        Received unknown parameter: x
        "
        );
    }

    /// A failpoint without a count is an error that names its source.
    #[test]
    fn failpoints_are_read() {
        for armed in ["before_commit:1", "before_commit:1:panic"] {
            assert!(failpoints(&of_flags(&[("failpoint", armed)])).is_ok());
        }
        let error = failpoints(&of_flags(&[("failpoint", "before_commit")])).unwrap_err();
        insta::assert_snapshot!(error, @"the setting failpoint (flag) is 'before_commit', but must be NAME:PASSES or NAME:PASSES:panic");
    }
}
