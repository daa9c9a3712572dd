//! Tests of reading the parameters of clients, and of the errors.

use super::form::{Branch, Node, read_pairs};
use super::*;
use crate::error::tests::listed;
use model::bank::Feature;
use proptest::prelude::*;

fn body(form: &str) -> Params {
    Params::parse("", form).unwrap()
}

fn error_of<T>(result: Result<T, Error>) -> Error {
    result.err().expect("must be refused")
}

/// Brackets may be raw or escaped, and lists indexed or appended, in any order.
#[test]
fn reads_every_spelling() {
    for form in [
        "features[]=balance&features[]=transactions",
        "features[0]=balance&features[1]=transactions",
        "features[1]=transactions&features[0]=balance",
        "features%5B7%5D=transactions&features%5b3%5d=balance",
        "features[0]=balance&features[]=transactions",
    ] {
        let mut params = body(form);
        let features = params.need("features", Params::choices::<Feature>).unwrap();
        assert_eq!(features, [Feature::Balance, Feature::Transactions], "{form}");
        params.finish().unwrap();
    }
    let mut params = Params::parse("a=1+2&limit=3", "limit=4&b=%C3%BC%20x&&flag=true").unwrap();
    assert_eq!(params.text("a").unwrap().unwrap(), "1 2");
    assert_eq!(params.text("b").unwrap().unwrap(), "ü x");
    assert_eq!(params.integer("limit").unwrap(), Some(4));
    assert_eq!(params.boolean("flag").unwrap(), Some(true));
    params.finish().unwrap();
}

/// Lists of hashes may be indexed or appended. An appended hash ends where a key repeats.
#[test]
fn reads_lists_of_hashes() {
    for form in [
        "tax[0][type]=x&tax[0][value]=1&tax[1][type]=y&tax[1][value]=2",
        "tax[][type]=x&tax[][value]=1&tax[][type]=y&tax[][value]=2",
    ] {
        let mut params = body(form);
        let mut read = Vec::new();
        for mut hash in params.hashes("tax").unwrap().unwrap() {
            read.push((hash.text("type").unwrap().unwrap(), hash.integer("value").unwrap()));
            hash.finish().unwrap();
        }
        assert_eq!(read, [("x".to_owned(), Some(1)), ("y".to_owned(), Some(2))], "{form}");
    }
}

/// Each error of a value has the full path of the parameter.
#[test]
fn rejects_bad_values() {
    let form = "a[b]=&n=1x&f[0]=balance&f[1]=balances&l=x&h[]=1&t[x]=1&e=&m[x]=1&o=y&i[u]=+2";
    let mut params = body(form);
    let mut a = params.hash("a").unwrap().unwrap();
    let errors = [
        error_of(a.text("b")),
        error_of(a.need("c", Params::text)),
        error_of(params.integer("n")),
        error_of(params.choices::<Feature>("f")),
        error_of(params.texts("l")),
        error_of(params.hash("h")),
        error_of(params.text("t")),
        error_of(params.texts("e")),
        error_of(params.texts("m")),
        error_of(params.boolean("o")),
        error_of(params.hash("i").unwrap().unwrap().integer("u")),
        error_of(body("x=abc").text_up_to("x", 2)),
        error_of(body("x=abc").choice::<Feature>("x")),
        error_of(body("x=abc").hash("x")),
        error_of(body("x=11").integer_within("x", 1, 10)),
        error_of(body("a[x]=1&a[y]=1").hash("a").unwrap().unwrap().exclusive(&["x", "z", "y"])),
    ];
    insta::assert_snapshot!(listed(&errors), @"
    400 parameter_invalid_empty a[b]
        a[b] is an empty string. Send a value, or leave it out.
    400 parameter_missing a[c]
        Missing required parameter: a[c].
    400 parameter_invalid_integer n
        Invalid integer: 1x
    400 - f[1]
        Invalid f[1]: must be one of balance, ownership, transactions, or
        inferred_balances
    400 - l
        Invalid array: x
    400 - h
        Invalid object: h must be a hash, not a list
    400 - t
        Invalid string: t must be a string, not a hash or a list
    400 parameter_invalid_empty e
        e is an empty string. Send a value, or leave it out.
    400 - m
        Invalid array: m must be a list, not a hash
    400 - o
        Invalid boolean: y
    400 parameter_invalid_integer i[u]
        Invalid integer:  2
    400 - x
        Invalid string: x may have at most 2 characters
    400 - x
        Invalid x: must be one of balance, ownership, transactions, or inferred_balances
    400 - x
        Invalid object: abc
    400 parameter_invalid_integer x
        Invalid integer: x must be between 1 and 10
    400 parameters_exclusive a[x]
        You may give only one of these parameters: a[x], a[y].
    ");
}

/// Items of lists are known by their positions, and errors name the indexes that were sent, in
/// nested lists too. Metadata keys are not changed.
#[test]
fn gaps_are_reported_as_sent() {
    let form = "f[7]=a&f[3]=b&f[]=c&h[2][x][5]=1&h[2][x][1]=2&plain[0]=1&plain[1]=2&metadata[5]=x\
                &o[metadata][4]=x&o[l][1]=x";
    let gaps = body(form).gaps();
    let paths = [
        "f[0]",
        "f[1]",
        "f[2]",
        "f[3]",
        "h[0][x][1]",
        "h[0][y]",
        "plain[1]",
        "metadata[5]",
        "o[metadata][4]",
        "o[l][0]",
        "other[0]",
    ];
    let sent = paths.map(|path| gaps.as_sent(path));
    assert_eq!(
        sent,
        [
            "f[3]",
            "f[7]",
            "f[8]",
            "f[3]",
            "h[2][x][5]",
            "h[2][y]",
            "plain[1]",
            "metadata[5]",
            "o[metadata][4]",
            "o[l][1]",
            "other[0]"
        ]
    );
    assert!(body("f[0]=a&f[1]=b&g[]=c&metadata[3]=x").gaps().is_empty());
}

/// Malformed forms are rejected.
#[test]
fn rejects_bad_forms() {
    let deep = format!("a{}=1", "[b]".repeat(9));
    let many = "a[]=1&".repeat(1_001);
    let errors: Vec<Error> = [
        "a=%zz",
        "a=%4",
        "a=%ff",
        "a=%00",
        "=x",
        "[a]=x",
        "a]=x",
        "a[b=x",
        "a[b]c=x",
        "a[[b]]=x",
        "a=1&a[b]=2",
        "a[b]=1&a=2",
        &deep,
        &many,
    ]
    .iter()
    .map(|form| error_of(Params::parse("", form)))
    .collect();
    insta::assert_snapshot!(listed(&errors), @"
    400 - -
        Invalid percent-encoding in the parameters: %zz
    400 - -
        Invalid percent-encoding in the parameters: %4
    400 - -
        A parameter is not valid UTF-8.
    400 - -
        A parameter contains a zero byte. Leave the byte out.
    400 - -
        Invalid parameter name: 
    400 - -
        Invalid parameter name: [a]
    400 - -
        Invalid parameter name: a]
    400 - -
        Invalid parameter name: a[b
    400 - -
        Invalid parameter name: a[b]c
    400 - -
        Invalid parameter name: a[[b]]
    400 - a[b]
        The parameter a[b] was sent both with and without brackets. Send one form.
    400 - a
        The parameter a was sent both with and without brackets. Send one form.
    400 - -
        A parameter may have at most 8 brackets: a[b][b][b][b][b][b][b][b][b]
    400 - -
        A request may have at most 1000 parameters.
    ");
}

/// An unknown parameter is rejected with the most similar known name.
#[test]
fn rejects_unknown_parameters() {
    let mut params = body("fetaures[]=balance");
    let _ = params.choices::<Feature>("features");
    params.ignore("expand");
    let typo = error_of(params.finish());
    let mut params = body("account_holder[custmer]=cus_1");
    let mut holder = params.hash("account_holder").unwrap().unwrap();
    let _ = holder.text("type");
    let _ = holder.text("customer");
    let nested = error_of(holder.finish());
    let two = error_of(body("zzz=1&yyy[a]=2").finish());
    insta::assert_snapshot!(listed(&[typo, nested, two]), @"
    400 parameter_unknown fetaures
        Received unknown parameter: fetaures. Did you mean features?
    400 parameter_unknown account_holder[custmer]
        Received unknown parameter: account_holder[custmer]. Did you mean customer?
    400 parameter_unknown yyy
        Received unknown parameters: yyy, zzz
    ");
}

/// A range is an integer or bounds. A bound beyond the last integer gives an empty range.
#[test]
fn reads_ranges() {
    let range = |form: &str| body(form).range("at").unwrap().unwrap();
    assert_eq!(range("at=5"), Range { from: Some(5), to: Some(5) });
    assert_eq!(range("at[gt]=5&at[gte]=2&at[lte]=9"), Range { from: Some(6), to: Some(9) });
    assert_eq!(range("at[lt]=5"), Range { from: None, to: Some(4) });
    assert!(!range(&format!("at[gt]={}", i64::MAX)).contains(i64::MAX));
    assert_eq!(body("").range("at").unwrap(), None);
    let errors = [
        error_of(body("at[after]=5").range("at")),
        error_of(body("at[gt]=x").range("at")),
        error_of(body("at=").range("at")),
    ];
    insta::assert_snapshot!(listed(&errors), @"
    400 parameter_unknown at[after]
        Received unknown parameter: at[after]
    400 parameter_invalid_integer at[gt]
        Invalid integer: x
    400 parameter_invalid_empty at
        at is an empty string. Send a value, or leave it out.
    ");
}

/// Metadata is set, deleted by key and cleared, within its bounds.
#[test]
fn changes_metadata() {
    let mut metadata = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
    let change = |form: &str| body(form).metadata().unwrap().unwrap();
    change("metadata[a]=&metadata[b]=2&metadata[0]=3").apply(&mut metadata).unwrap();
    assert_eq!(metadata, BTreeMap::from([("0".into(), "3".into()), ("b".into(), "2".into())]));
    change("metadata=").apply(&mut metadata).unwrap();
    assert!(metadata.is_empty());

    let crowd: Vec<String> = (0..51).map(|key| format!("metadata[k{key}]=1")).collect();
    let long_key = format!("metadata[{}]=1", "k".repeat(41));
    let long_value = format!("metadata[k]={}", "v".repeat(501));
    let errors = [
        error_of(change(&crowd.join("&")).apply(&mut metadata)),
        error_of(body(&long_key).metadata()),
        error_of(body(&long_value).metadata()),
        error_of(body("metadata[a][b]=1").metadata()),
        error_of(body("metadata[]=1").metadata()),
        error_of(body("metadata=x").metadata()),
    ];
    insta::assert_snapshot!(listed(&errors), @"
    400 - metadata
        An object may have at most 50 metadata keys.
    400 - metadata[kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk]
        A metadata key may have at most 40 characters:
        kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    400 - metadata[k]
        Invalid string: metadata[k] may have at most 500 characters
    400 - metadata[a]
        Invalid string: metadata[a] must be a string, not a hash or a list
    400 - metadata
        Invalid object: metadata must be a hash, not a list
    400 - metadata
        Invalid object: x
    ");
    assert!(metadata.is_empty());
}

/// The fingerprint depends on every value, and not on order or spelling.
#[test]
fn fingerprint_sees_values_only() {
    let of = |form: &str| body(form).fingerprint();
    assert_eq!(of("a=1&b[c]=2"), of("b%5Bc%5D=2&a=%31"));
    assert_eq!(of("a[]=1&a[]=2"), of("a[0]=1&a[1]=2"));
    assert_ne!(of("a[]=1&a[]=2"), of("a[]=2&a[]=1"));
    assert_ne!(of("a=1"), of("a[]=1"));
    assert_ne!(of("a=&b=1"), of("a=1:b"));
    assert_ne!(of(""), of("a="));
}

fn text() -> impl Strategy<Value = String> {
    "[^\\x00]{0,6}"
}

fn name() -> impl Strategy<Value = String> {
    // A name of digits would be an index.
    "[a-z_ü&=% +][^\\x00\\[\\]]{0,4}"
}

fn tree() -> impl Strategy<Value = Branch> {
    let leaf = text().prop_map(Node::Text);
    let node = leaf.prop_recursive(4, 24, 4, |inner| {
        let hash = prop::collection::btree_map(name(), inner.clone(), 1..4)
            .prop_map(|named| Node::Branch(Branch { named, appended: Vec::new() }));
        let list = prop::collection::vec(inner, 1..4).prop_map(|items| {
            let named = (0..).zip(items).map(|(at, node): (usize, _)| (at.to_string(), node));
            Node::Branch(Branch { named: named.collect(), appended: Vec::new() })
        });
        prop_oneof![hash, list]
    });
    prop::collection::btree_map(name(), node, 0..4)
        .prop_map(|named| Branch { named, appended: Vec::new() })
}

fn escape(text: &str, all: bool) -> String {
    let escape_byte = |byte: u8| match byte {
        b' ' if !all => "+".to_owned(),
        b'[' | b']' if !all => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape_byte).collect()
}

/// Returns the pairs of a tree. `append` writes lists of texts as `a[]`.
fn pairs(branch: &Branch, path: &str, append: bool, out: &mut Vec<(String, String)>) {
    let plain = |node: &Node| matches!(node, Node::Text(_));
    let list = branch.named.keys().all(|name| form::index_of(name).is_some())
        && branch.named.values().all(plain);
    for (name, node) in &branch.named {
        let path = match path {
            "" => name.clone(),
            path if append && list => format!("{path}[]"),
            path => format!("{path}[{name}]"),
        };
        match node {
            Node::Text(text) | Node::Json(text) => out.push((path, text.clone())),
            Node::Branch(branch) => pairs(branch, &path, append, out),
        }
    }
}

fn encode(pairs: &[(String, String)], all: bool) -> String {
    let pair = |(key, value): &(String, String)| {
        // Brackets in a raw value have no meaning.
        format!("{}={}", escape(key, all), escape(value, all))
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn read(form: &str) -> Branch {
    let mut tree = Branch::default();
    read_pairs(&mut tree, &mut 0, form).unwrap();
    tree
}

proptest! {
    /// Any tree, indexed, in any order, with raw or escaped brackets, reads back as itself.
    #[test]
    fn indexed_trees_read_back(
        (tree, pairs) in tree().prop_flat_map(|tree| {
            let mut out = Vec::new();
            pairs(&tree, "", false, &mut out);
            (Just(tree), Just(out).prop_shuffle())
        }),
        all: bool,
    ) {
        prop_assert_eq!(read(&encode(&pairs, all)), tree);
    }

    /// Lists of texts written as `a[]` equal indexed lists.
    #[test]
    fn appended_lists_are_the_same(tree in tree(), all: bool) {
        let mut out = Vec::new();
        pairs(&tree, "", true, &mut out);
        let (mut appended, mut indexed) = (Vec::new(), Vec::new());
        read(&encode(&out, all)).write_canonical(&mut appended);
        tree.write_canonical(&mut indexed);
        prop_assert_eq!(appended, indexed);
    }

    /// No form makes the reader panic, whichever parameters are taken.
    #[test]
    fn any_form_is_read_safely(form in "[ab\\[\\]=&%0-9+.\\PC]{0,40}", query: String) {
        if let Ok(params) = Params::parse(&query, &form) {
            let _ = params.fingerprint();
            for name in ["a", "b", "ab", "0"] {
                let _ = params.clone().text(name);
                let _ = params.clone().texts(name);
                let _ = params.clone().range(name);
                let _ = params.clone().hashes(name);
                let _ = params.clone().hash(name).map(|hash| hash.map(Params::finish));
            }
            let _ = params.finish();
        }
    }
}
