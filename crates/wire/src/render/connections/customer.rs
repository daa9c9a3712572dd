//! A customer.
//!
//! Many keys belong to parts of the API that bankfeed does not have. They have the value of a new
//! customer, because clients declare them as always present.

use crate::json::JsonWriter;
use crate::render::{View, deleted};
use model::Word;
use model::customer::{Address, Customer};
use model::id::{ClockId, IdText, PaymentMethodId};

/// The value of `object`.
pub const OBJECT: &str = "customer";

/// Writes a customer, or the stub of a deleted one.
pub fn write(writer: &mut JsonWriter, customer: &Customer, view: &View<'_>) {
    if customer.deleted {
        deleted::write(writer, &customer.id, OBJECT);
    } else {
        write_whole(writer, customer, view);
    }
}

/// Writes every key, also of a deleted customer, because its last event shows it as it was. All
/// known versions show it in the same way.
pub fn write_whole(writer: &mut JsonWriter, customer: &Customer, _view: &View<'_>) {
    writer.object(|w| {
        w.key("id").plain(customer.id.text());
        w.key("object").plain(OBJECT);
        w.key("address");
        write_address(w, customer.address.as_ref());
        w.key("balance").integer(customer.balance);
        if let Some(name) = &customer.business_name {
            w.key("business_name").string(name);
        }
        w.key("created").integer(customer.created.0);
        w.key("currency").null();
        w.key("customer_account").null();
        w.key("default_source").null();
        w.key("delinquent").boolean(false);
        w.key("description").optional_string(customer.description.as_deref());
        w.key("discount").null();
        w.key("email").optional_string(customer.email.as_deref());
        if let Some(name) = &customer.individual_name {
            w.key("individual_name").string(name);
        }
        write_invoicing(w, customer);
        w.key("livemode").boolean(customer.livemode);
        w.key("metadata").string_map(&customer.metadata);
        w.key("name").optional_string(customer.name.as_deref());
        w.key("next_invoice_sequence").integer(customer.next_invoice_sequence.unwrap_or(1));
        w.key("phone").optional_string(customer.phone.as_deref());
        w.key("preferred_locales").strings(customer.preferred_locales.iter().map(String::as_str));
        write_shipping(w, customer);
        w.key("tax_exempt").plain(customer.tax_exempt.word());
        let clock = customer.test_clock.map(ClockId::text);
        w.key("test_clock").optional_plain(clock.as_ref().map(IdText::as_str));
    });
}

fn write_invoicing(w: &mut JsonWriter, customer: &Customer) {
    w.key("invoice_prefix").optional_string(customer.invoice_prefix.as_deref());
    w.key("invoice_settings").object(|w| {
        let method = customer.default_payment_method.map(PaymentMethodId::text);
        w.key("custom_fields").null();
        w.key("default_payment_method");
        w.optional_plain(method.as_ref().map(IdText::as_str));
        w.key("footer").null().key("rendering_options").null();
    });
}

fn write_shipping(w: &mut JsonWriter, customer: &Customer) {
    w.key("shipping");
    let Some(shipping) = &customer.shipping else {
        w.null();
        return;
    };
    w.object(|w| {
        w.key("address");
        write_address(w, Some(&shipping.address));
        w.key("name").string(&shipping.name);
        w.key("phone").optional_string(shipping.phone.as_deref());
    });
}

fn write_address(w: &mut JsonWriter, address: Option<&Address>) {
    let Some(address) = address else {
        w.null();
        return;
    };
    w.object(|w| {
        w.key("city").optional_string(address.city.as_deref());
        w.key("country").optional_string(address.country.as_deref());
        w.key("line1").optional_string(address.line1.as_deref());
        w.key("line2").optional_string(address.line2.as_deref());
        w.key("postal_code").optional_string(address.postal_code.as_deref());
        w.key("state").optional_string(address.state.as_deref());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{self, indented, view, written};
    use model::customer::Shipping;

    fn write_sample(customer: &Customer) -> String {
        indented(|w| write(w, customer, &view()))
    }

    /// A new customer has every key.
    #[test]
    fn writes_a_fresh_customer() {
        insta::assert_snapshot!(write_sample(&samples::customer()), @r#"
        {
          "id": "cus_00000000001ULCH2dEOE6ByZ",
          "object": "customer",
          "address": null,
          "balance": 0,
          "created": 1700000000,
          "currency": null,
          "customer_account": null,
          "default_source": null,
          "delinquent": false,
          "description": null,
          "discount": null,
          "email": "ada@example.com",
          "invoice_prefix": null,
          "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": null,
            "footer": null,
            "rendering_options": null
          },
          "livemode": false,
          "metadata": {},
          "name": null,
          "next_invoice_sequence": 1,
          "phone": null,
          "preferred_locales": [],
          "shipping": null,
          "tax_exempt": "none",
          "test_clock": null
        }
        "#);
    }

    /// The values that a caller may set are shown.
    #[test]
    fn writes_a_full_customer() {
        let mut customer = samples::customer();
        let address = Address { city: Some("Köln".into()), ..Address::default() };
        customer.address = Some(address.clone());
        customer.shipping = Some(Shipping { address, name: "A".into(), phone: None });
        customer.business_name = Some("A \"B\"".into());
        customer.metadata.insert("k\n".into(), "v".into());
        customer.preferred_locales = vec!["de".into()];
        let clock = samples::clock();
        customer.test_clock = Some(clock.id);
        insta::assert_snapshot!(indented(|w| write(w, &customer, &view())), @r#"
        {
          "id": "cus_00000000001ULCH2dEOE6ByZ",
          "object": "customer",
          "address": {
            "city": "Köln",
            "country": null,
            "line1": null,
            "line2": null,
            "postal_code": null,
            "state": null
          },
          "balance": 0,
          "business_name": "A \"B\"",
          "created": 1700000000,
          "currency": null,
          "customer_account": null,
          "default_source": null,
          "delinquent": false,
          "description": null,
          "discount": null,
          "email": "ada@example.com",
          "invoice_prefix": null,
          "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": null,
            "footer": null,
            "rendering_options": null
          },
          "livemode": false,
          "metadata": {
            "k\n": "v"
          },
          "name": null,
          "next_invoice_sequence": 1,
          "phone": null,
          "preferred_locales": [
            "de"
          ],
          "shipping": {
            "address": {
              "city": "Köln",
              "country": null,
              "line1": null,
              "line2": null,
              "postal_code": null,
              "state": null
            },
            "name": "A",
            "phone": null
          },
          "tax_exempt": "none",
          "test_clock": "clock_00000000001dtrolbLmk4FZB"
        }
        "#);
    }

    /// A deleted customer is a stub, except in its last event.
    #[test]
    fn writes_a_deleted_customer() {
        let customer = Customer { deleted: true, ..samples::customer() };
        insta::assert_snapshot!(write_sample(&customer), @r#"
        {
          "id": "cus_00000000001ULCH2dEOE6ByZ",
          "object": "customer",
          "deleted": true
        }
        "#);
        let whole = written(|w| write_whole(w, &customer, &view()));
        assert!(whole.contains(r#""email":"ada@example.com""#));
    }
}
