//! Reading parameters by the schema of their call.

use super::form::{Branch, Node};
use super::{Params, boolean_of, integer_of, metadata_of, scalar_of, text_of};
use crate::error::Error;
use crate::schema::{Member, Schema};
use model::extra_params::ExtraParams;
use model::limits::METADATA_KEYS_MAX;
use std::collections::BTreeMap;

impl Params {
    /// Takes every parameter of the schema except `expand`, which the renderer of the response
    /// takes. Unknown names inside hashes are rejected here, those of the request itself by
    /// [`Params::finish`].
    pub fn take_schema(&mut self, schema: &'static Schema) -> Result<ExtraParams, Error> {
        let Schema::Hash(members) = schema else { return Ok(ExtraParams::empty()) };
        let mut values = BTreeMap::new();
        for member in members.iter().filter(|member| member.name != "expand") {
            if let Some(value) = self.take_member(member)? {
                values.insert(member.name.to_owned(), value);
            }
        }
        Ok(ExtraParams::Hash(values))
    }

    fn take_member(&mut self, member: &'static Member) -> Result<Option<ExtraParams>, Error> {
        let path = self.path_of(member.name);
        match self.take(member.name) {
            None if member.required => Err(Error::missing_param(&path)),
            None => Ok(None),
            Some(Node::Text(text)) if text.is_empty() && member.unsettable => {
                Ok(Some(ExtraParams::Unset))
            }
            // Metadata has the same bounds everywhere.
            Some(node) if member.name == "metadata" => metadata(&path, node).map(Some),
            Some(node) => read(&path, node, &member.schema).map(Some),
        }
    }
}

fn metadata(path: &str, node: Node) -> Result<ExtraParams, Error> {
    let keys = metadata_of(path, node)?;
    if keys.values().flatten().count() > METADATA_KEYS_MAX {
        return Err(Error::too_many_metadata_keys(path));
    }
    let param = |value: Option<String>| value.map_or(ExtraParams::Unset, ExtraParams::Text);
    Ok(ExtraParams::Hash(keys.into_iter().map(|(key, value)| (key, param(value))).collect()))
}

fn read(path: &str, node: Node, schema: &'static Schema) -> Result<ExtraParams, Error> {
    match schema {
        Schema::Text(most) => text_of(path, node, *most).map(ExtraParams::Text),
        Schema::Integer => integer_of(path, node).map(ExtraParams::Integer),
        Schema::Decimal => decimal(path, node),
        Schema::Currency => {
            let text = scalar_of(path, node, "string")?;
            let letters = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
            if !letters {
                return Err(Error::invalid(format!(
                    "Invalid currency: {}. Use three letters, such as usd.",
                    crate::error::shown(&text)
                ))
                .param(path));
            }
            Ok(ExtraParams::Text(text.to_ascii_lowercase()))
        }
        Schema::Boolean => boolean_of(path, node).map(ExtraParams::Boolean),
        Schema::Word(words) => {
            let text = scalar_of(path, node, "string")?;
            if words.contains(&text.as_str()) {
                Ok(ExtraParams::Text(text))
            } else {
                Err(Error::bad_choice(path, words))
            }
        }
        Schema::Hash(_) => hash(path, node, schema),
        Schema::List(item) => list(path, node, item),
        Schema::Map(value) => map(path, node, value),
        Schema::Either(options) => either(path, &node, options),
    }
}

fn hash(path: &str, node: Node, schema: &'static Schema) -> Result<ExtraParams, Error> {
    let mut inner = super::hash_of(path, node)?;
    let value = inner.take_schema(schema)?;
    inner.finish()?;
    Ok(value)
}

fn list(path: &str, node: Node, item: &'static Schema) -> Result<ExtraParams, Error> {
    let items = match node {
        Node::Text(text) if text.is_empty() => return Err(Error::empty(path)),
        Node::Text(text) | Node::Json(text) => {
            return Err(Error::bad_shape(path, "array", Some(&text)));
        }
        Node::Branch(branch) => branch.into_items(),
    };
    let items = items.ok_or_else(|| Error::bad_shape(path, "array", None))?;
    let read_item = |(place, node)| read(&format!("{path}[{place}]"), node, item);
    items
        .into_iter()
        .enumerate()
        .map(read_item)
        .collect::<Result<Vec<_>, Error>>()
        .map(ExtraParams::List)
}

/// Reads members of any name. An empty text as a value unsets that member.
fn map(path: &str, node: Node, schema: &'static Schema) -> Result<ExtraParams, Error> {
    let Branch { named, appended } = match node {
        Node::Branch(branch) => branch,
        Node::Text(text) if text.is_empty() => return Err(Error::empty(path)),
        Node::Text(text) | Node::Json(text) => {
            return Err(Error::bad_shape(path, "object", Some(&text)));
        }
    };
    if !appended.is_empty() {
        return Err(Error::bad_shape(path, "object", None));
    }
    let mut members = BTreeMap::new();
    for (name, node) in named {
        let value = match node {
            Node::Text(text) if text.is_empty() => ExtraParams::Unset,
            node => read(&format!("{path}[{name}]"), node, schema)?,
        };
        members.insert(name, value);
    }
    Ok(ExtraParams::Hash(members))
}

/// Returns the first alternative that accepts the value. Otherwise it returns the error of the last
/// alternative of the value's kind (a hash for a hash, a scalar for a scalar).
fn either(path: &str, node: &Node, options: &'static [Schema]) -> Result<ExtraParams, Error> {
    let nested = matches!(node, Node::Branch(_));
    // Without an alternative of the value's kind, the value must be of the other kind.
    let mut fault = match node {
        Node::Branch(_) => Error::bad_shape(path, "value", None),
        Node::Text(text) | Node::Json(text) => Error::bad_shape(path, "object", Some(text)),
    };
    for option in options {
        match read(path, node.clone(), option) {
            Ok(value) => return Ok(value),
            Err(error) => {
                let takes_nested =
                    matches!(option, Schema::Hash(_) | Schema::List(_) | Schema::Map(_));
                if takes_nested == nested {
                    fault = error;
                }
            }
        }
    }
    Err(fault)
}

fn decimal(path: &str, node: Node) -> Result<ExtraParams, Error> {
    let text = scalar_of(path, node, "decimal")?;
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if number(whole) && number(fraction) {
        Ok(ExtraParams::Text(text))
    } else {
        Err(Error::bad_shape(path, "decimal", Some(&text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tests::listed;
    use crate::schema::of_call;
    use proptest::prelude::*;

    fn extra_params(form: &str) -> Result<ExtraParams, Error> {
        let mut params = Params::parse("", form)?;
        let body_params = params.take_schema(of_call("POST /v1/payment_intents").unwrap())?;
        params.finish()?;
        Ok(body_params)
    }

    /// The call from Stripe's guide is read completely.
    #[test]
    fn reads_the_call_of_the_guide() {
        let hash = extra_params(
            "amount=2000&currency=USD&customer=cus_1&setup_future_usage=off_session\
             &payment_method_types[]=us_bank_account&metadata[a]=&metadata[b]=1\
             &payment_method_options[us_bank_account][financial_connections][permissions][]=payment_method\
             &payment_method_options[us_bank_account][financial_connections][permissions][]=transactions\
             &payment_method_options[us_bank_account][financial_connections][prefetch][0]=transactions",
        )
        .unwrap();
        insta::assert_snapshot!(testkit::show::json(&serde_json::json!(hash)), @r#"
        {
          amount: 2000
          currency: "usd"
          customer: "cus_1"
          metadata: { a: null, b: "1" }
          payment_method_options: {
            us_bank_account: {
              financial_connections: {
                permissions: ["payment_method", "transactions"]
                prefetch: ["transactions"]
              }
            }
          }
          payment_method_types: ["us_bank_account"]
          setup_future_usage: "off_session"
        }
        "#);
    }

    /// Every error has the path of its parameter.
    #[test]
    fn errors_name_their_path() {
        let errors: Vec<Error> = [
            "currency=usd",
            "amount=1&currency=us",
            "amount=x&currency=usd",
            "amount=1&currency=usd&amuont=2",
            "amount=1&currency=usd&payment_method_options[us_bank_account][verfication_method]=instant",
            "amount=1&currency=usd&payment_method_options[us_bank_account][verification_method]=x",
            "amount=1&currency=usd&payment_method_options[us_bank_account][financial_connections][prefetch][]=balance",
            "amount=1&currency=usd&confirm=yes",
            "amount=1&currency=usd&payment_method_types=us_bank_account",
            "amount=1&currency=usd&off_session[a]=1",
            "amount=1&currency=usd&off_session=maybe",
            "amount=1&currency=usd&customer=",
            "amount=1&currency=usd&metadata=x",
            "amount=1&currency=usd&description[]=x",
        ]
        .into_iter()
        .map(|form| extra_params(form).unwrap_err())
        .collect();
        insta::assert_snapshot!(listed(&errors), @"
        400 parameter_missing amount
            Missing required parameter: amount.
        400 - currency
            Invalid currency: us. Use three letters, such as usd.
        400 parameter_invalid_integer amount
            Invalid integer: x
        400 parameter_unknown amuont
            Received unknown parameter: amuont. Did you mean amount?
        400 parameter_unknown payment_method_options[us_bank_account][verfication_method]
            Received unknown parameter:
            payment_method_options[us_bank_account][verfication_method]. Did you mean
            verification_method?
        400 - payment_method_options[us_bank_account][verification_method]
            Invalid payment_method_options[us_bank_account][verification_method]: must be
            one of automatic, instant, or microdeposits
        400 - payment_method_options[us_bank_account][financial_connections][prefetch][0]
            Invalid
            payment_method_options[us_bank_account][financial_connections][prefetch][0]:
            must be one of balances, ownership, or transactions
        400 - confirm
            Invalid boolean: yes
        400 - payment_method_types
            Invalid array: us_bank_account
        400 - off_session
            Invalid value: off_session must be a single value, not a hash or a list
        400 - off_session
            Invalid off_session: must be one of one_off or recurring
        400 parameter_invalid_empty customer
            customer is an empty string. Send a value, or leave it out.
        400 - metadata
            Invalid object: x
        400 - description
            Invalid string: description must be a string, not a hash or a list
        ");
    }

    proptest! {
        /// No form makes the reader panic, for any call.
        #[test]
        fn any_form_is_read_safely(form in "[a-z_\\[\\]=&0-9]{0,60}") {
            for (_, schema) in crate::schema::calls() {
                if let Ok(mut params) = Params::parse("", &form) {
                    let _ = params.take_schema(schema);
                }
            }
        }
    }
}
