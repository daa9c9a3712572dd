//! Tests of `export`.

use crate::support::{Server, in_new_folder};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;

/// An account with a balance, and a few transactions of every status.
fn account(server: &Server) -> String {
    let account = server.link(&["--bank", "No History"]);
    let path = format!("/v1/test_helpers/financial_connections/accounts/{account}/transactions");
    for form in [
        "amount=-1200&description=Blue+Door,+%22Coffee%22&status=posted",
        "amount=250000&description=Salary+%3CAcme+%26+Sons%3E+for+the+month+of+December&status=posted",
        "amount=-4999&description=Bookshop&status=pending",
        "amount=-700&currency=eur&description=Caf%C3%A9%EF%BF%BF+%01+noir&status=posted",
        "amount=-500&currency=ugx&description=Boda&status=posted",
    ] {
        server.call("POST", &path, form);
    }
    server.run(&["refresh", &account, "--wait", "--feature", "balance,transactions"]);
    account
}

/// Each text format, with its remarks.
#[test]
fn writes_texts() {
    let server = Server::start();
    let account = account(&server);
    let mut told = String::new();
    for format in ["csv", "jsonl", "ofx"] {
        told += &server.run(&["export", &account, "--format", format]);
    }
    let told = told.replace('\u{1}', "<U+0001>").replace('\u{ffff}', "<U+FFFF>");
    insta::assert_snapshot!(told, @r#"
    $ bankfeed export fca_0vIseXMSiAu8P8oVp4PoNoHu --format csv
    id,account,transacted_at,amount,amount_minor,currency,description,status,posted_at,void_at,transaction_refresh,updated
    fctxn_0vIseXMSiAu0092h5PfcIKwv,fca_0vIseXMSiAu8P8oVp4PoNoHu,2026-01-01T00:00:00Z,-5.00,-500,ugx,Boda,posted,2026-01-01T00:00:00Z,,fctxnref_0vIseXMSiAu1IAX8vKpd7xyr,2026-01-01T00:00:00Z
    fctxn_0vIseXMSiAu0092h5PfcIKwu,fca_0vIseXMSiAu8P8oVp4PoNoHu,2026-01-01T00:00:00Z,-7.00,-700,eur,Café<U+FFFF> <U+0001> noir,posted,2026-01-01T00:00:00Z,,fctxnref_0vIseXMSiAu1IAX8vKpd7xyr,2026-01-01T00:00:00Z
    fctxn_0vIseXMSiAu0092h5PfcIKwt,fca_0vIseXMSiAu8P8oVp4PoNoHu,2026-01-01T00:00:00Z,-49.99,-4999,usd,Bookshop,pending,,,fctxnref_0vIseXMSiAu1IAX8vKpd7xyr,2026-01-01T00:00:00Z
    fctxn_0vIseXMSiAu0092h5PfcIKws,fca_0vIseXMSiAu8P8oVp4PoNoHu,2026-01-01T00:00:00Z,2500.00,250000,usd,Salary <Acme & Sons> for the month of December,posted,2026-01-01T00:00:00Z,,fctxnref_0vIseXMSiAu1IAX8vKpd7xyr,2026-01-01T00:00:00Z
    fctxn_0vIseXMSiAu0092h5PfcIKwr,fca_0vIseXMSiAu8P8oVp4PoNoHu,2026-01-01T00:00:00Z,-12.00,-1200,usd,"Blue Door, ""Coffee""",posted,2026-01-01T00:00:00Z,,fctxnref_0vIseXMSiAu1IAX8vKpd7xyr,2026-01-01T00:00:00Z
    $ bankfeed export fca_0vIseXMSiAu8P8oVp4PoNoHu --format jsonl
    {"account":"fca_0vIseXMSiAu8P8oVp4PoNoHu","amount":-500,"currency":"ugx","description":"Boda","id":"fctxn_0vIseXMSiAu0092h5PfcIKwv","livemode":false,"object":"financial_connections.transaction","status":"posted","status_transitions":{"posted_at":1767225600,"void_at":null},"transacted_at":1767225600,"transaction_refresh":"fctxnref_0vIseXMSiAu1IAX8vKpd7xyr","updated":1767225600}
    {"account":"fca_0vIseXMSiAu8P8oVp4PoNoHu","amount":-700,"currency":"eur","description":"Café<U+FFFF> \u0001 noir","id":"fctxn_0vIseXMSiAu0092h5PfcIKwu","livemode":false,"object":"financial_connections.transaction","status":"posted","status_transitions":{"posted_at":1767225600,"void_at":null},"transacted_at":1767225600,"transaction_refresh":"fctxnref_0vIseXMSiAu1IAX8vKpd7xyr","updated":1767225600}
    {"account":"fca_0vIseXMSiAu8P8oVp4PoNoHu","amount":-4999,"currency":"usd","description":"Bookshop","id":"fctxn_0vIseXMSiAu0092h5PfcIKwt","livemode":false,"object":"financial_connections.transaction","status":"pending","status_transitions":{"posted_at":null,"void_at":null},"transacted_at":1767225600,"transaction_refresh":"fctxnref_0vIseXMSiAu1IAX8vKpd7xyr","updated":1767225600}
    {"account":"fca_0vIseXMSiAu8P8oVp4PoNoHu","amount":250000,"currency":"usd","description":"Salary <Acme & Sons> for the month of December","id":"fctxn_0vIseXMSiAu0092h5PfcIKws","livemode":false,"object":"financial_connections.transaction","status":"posted","status_transitions":{"posted_at":1767225600,"void_at":null},"transacted_at":1767225600,"transaction_refresh":"fctxnref_0vIseXMSiAu1IAX8vKpd7xyr","updated":1767225600}
    {"account":"fca_0vIseXMSiAu8P8oVp4PoNoHu","amount":-1200,"currency":"usd","description":"Blue Door, \"Coffee\"","id":"fctxn_0vIseXMSiAu0092h5PfcIKwr","livemode":false,"object":"financial_connections.transaction","status":"posted","status_transitions":{"posted_at":1767225600,"void_at":null},"transacted_at":1767225600,"transaction_refresh":"fctxnref_0vIseXMSiAu1IAX8vKpd7xyr","updated":1767225600}
    $ bankfeed export fca_0vIseXMSiAu8P8oVp4PoNoHu --format ofx
    <?xml version="1.0" encoding="UTF-8" standalone="no"?>
    <?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
    <OFX>
    <SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS><DTSERVER>20260101000000[0:GMT]</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>
    <BANKMSGSRSV1>
    <STMTTRNRS><TRNUID>1</TRNUID><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS><STMTRS><CURDEF>EUR</CURDEF><BANKACCTFROM><BANKID>000000000</BANKID><ACCTID>IseXMSiAu8P8oVp4PoNoHu</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>
    <BANKTRANLIST><DTSTART>20260101000000[0:GMT]</DTSTART><DTEND>20260101000000[0:GMT]</DTEND>
    <STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20260101000000[0:GMT]</DTPOSTED><DTUSER>20260101000000[0:GMT]</DTUSER><TRNAMT>-7.00</TRNAMT><FITID>fctxn_0vIseXMSiAu0092h5PfcIKwu</FITID><NAME>Café    noir</NAME></STMTTRN>
    </BANKTRANLIST>
    <LEDGERBAL><BALAMT>-7.00</BALAMT><DTASOF>20260101000000[0:GMT]</DTASOF></LEDGERBAL>
    </STMTRS></STMTTRNRS>
    <STMTTRNRS><TRNUID>2</TRNUID><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS><STMTRS><CURDEF>UGX</CURDEF><BANKACCTFROM><BANKID>000000000</BANKID><ACCTID>IseXMSiAu8P8oVp4PoNoHu</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>
    <BANKTRANLIST><DTSTART>20260101000000[0:GMT]</DTSTART><DTEND>20260101000000[0:GMT]</DTEND>
    <STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20260101000000[0:GMT]</DTPOSTED><DTUSER>20260101000000[0:GMT]</DTUSER><TRNAMT>-5.00</TRNAMT><FITID>fctxn_0vIseXMSiAu0092h5PfcIKwv</FITID><NAME>Boda</NAME></STMTTRN>
    </BANKTRANLIST>
    <LEDGERBAL><BALAMT>-5.00</BALAMT><DTASOF>20260101000000[0:GMT]</DTASOF></LEDGERBAL>
    </STMTRS></STMTTRNRS>
    <STMTTRNRS><TRNUID>3</TRNUID><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS><STMTRS><CURDEF>USD</CURDEF><BANKACCTFROM><BANKID>000000000</BANKID><ACCTID>IseXMSiAu8P8oVp4PoNoHu</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>
    <BANKTRANLIST><DTSTART>20260101000000[0:GMT]</DTSTART><DTEND>20260101000000[0:GMT]</DTEND>
    <STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20260101000000[0:GMT]</DTPOSTED><DTUSER>20260101000000[0:GMT]</DTUSER><TRNAMT>2500.00</TRNAMT><FITID>fctxn_0vIseXMSiAu0092h5PfcIKws</FITID><NAME>Salary &lt;Acme &amp; Sons&gt; for the mon</NAME><MEMO>Salary &lt;Acme &amp; Sons&gt; for the month of December</MEMO></STMTTRN>
    <STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20260101000000[0:GMT]</DTPOSTED><DTUSER>20260101000000[0:GMT]</DTUSER><TRNAMT>-12.00</TRNAMT><FITID>fctxn_0vIseXMSiAu0092h5PfcIKwr</FITID><NAME>Blue Door, "Coffee"</NAME></STMTTRN>
    </BANKTRANLIST>
    <LEDGERBAL><BALAMT>8833.99</BALAMT><DTASOF>20260101000000[0:GMT]</DTASOF></LEDGERBAL>
    </STMTRS></STMTTRNRS>
    </BANKMSGSRSV1>
    </OFX>
    ! left out 1 transaction: OFX takes what is posted
    "#);
}

/// A Parquet file has a row for each transaction, with the values of the API.
#[test]
fn writes_parquet() {
    let server = Server::start();
    let account = account(&server);
    let (_folder, file) = in_new_folder("rows.parquet");
    let told =
        server.json(&["export", &account, "--format", "parquet", "-o", file.to_str().unwrap()]);
    assert_eq!(told[0]["rows"], 5);
    let rows = server.json(&["transactions", &account]);
    let reader = SerializedFileReader::new(std::fs::File::open(&file).unwrap()).unwrap();
    let mut read = 0;
    for (row, wanted) in reader.get_row_iter(None).unwrap().zip(&rows) {
        let row = row.unwrap();
        assert_eq!(row.get_string(0).unwrap(), wanted["id"].as_str().unwrap());
        assert_eq!(row.get_string(3).unwrap(), wanted["description"].as_str().unwrap());
        assert_eq!(row.get_long(6).unwrap(), wanted["amount"].as_i64().unwrap());
        let at = row.get_timestamp_millis(7).unwrap();
        assert_eq!(at, wanted["transacted_at"].as_i64().unwrap() * 1_000);
        let posted = wanted["status_transitions"]["posted_at"].as_i64();
        assert_eq!(row.get_timestamp_millis(9).ok(), posted.map(|at| at * 1_000));
        read += 1;
    }
    assert_eq!(read, rows.len());
}

/// A file appears complete or not at all. An account that cannot be exported is an error.
#[test]
fn refuses_what_cannot_be_written() {
    let (server, account) = Server::linked(&["--subscribe"]);
    let mut told = server.run(&["export", &account, "--format", "ofx"]);
    told += &server.run(&["export", &account, "-o", "/nowhere/rows.csv"]);
    told += &server.run(&["export", &account, "--format", "xlsx"]);
    let (folder, file) = in_new_folder("rows.csv");
    let named = file.to_str().unwrap();
    server.run(&["export", "fca_123", "-o", named]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let shown = server.run(&["export", &account, "-o", named]);
    told += &shown.replace(named, "rows.csv");
    let lines = std::fs::read_to_string(&file).unwrap().lines().count();
    assert_eq!(lines, server.json(&["transactions", &account]).len() + 1);
    insta::assert_snapshot!(told, @"
    $ bankfeed export fca_0vIseXMSiAu8P8oVp4PoNoHu --format ofx
    ! error: an OFX statement needs a balance, and this account has none yet
    !   tip: Fetch it with `bankfeed refresh ACCOUNT --feature balance --wait`
    ends with 2
    $ bankfeed export fca_0vIseXMSiAu8P8oVp4PoNoHu -o /nowhere/rows.csv
    ! error: could not create a file in /nowhere: No such file or directory (os error 2)
    !   tip: Name another file with --output
    ends with 1
    $ bankfeed export fca_0vIseXMSiAu8P8oVp4PoNoHu --format xlsx
    ! error: invalid value 'xlsx' for '--format <FORMAT>'
    !   [possible values: csv, jsonl, ofx, parquet]
    !
    ! For more information, try '--help'.
    ends with 2
    $ bankfeed export fca_0vIseXMSiAu8P8oVp4PoNoHu -o rows.csv
    ! wrote 298 transactions to rows.csv
    ");
}

/// A pipe receives the rows, and a link leads to the new file.
#[test]
fn writes_through() {
    let server = Server::start();
    let account = account(&server);
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let export = |name| server.run(&["export", &account, "-o", place(name).to_str().unwrap()]);

    assert!(std::process::Command::new("mkfifo").arg(place("pipe")).status().unwrap().success());
    let pipe = place("pipe");
    let reading = std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap());
    export("pipe");
    assert!(!std::fs::symlink_metadata(place("pipe")).unwrap().is_file());
    assert_eq!(reading.join().unwrap().lines().count(), 6);

    std::fs::write(place("kept.csv"), "before").unwrap();
    for (link, file) in [("link", "kept.csv"), ("dangling", "made.csv")] {
        std::os::unix::fs::symlink(file, place(link)).unwrap();
        export(link);
        assert!(std::fs::symlink_metadata(place(link)).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(place(file)).unwrap().lines().count(), 6);
    }
    let told = export("");
    assert!(told.contains("Is a directory"), "{told}");
}
