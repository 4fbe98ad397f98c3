use super::*;
use crate::Clock;
use record::Fact;
use tokio::net::TcpListener;

fn page(url: &str) -> Url {
    Url::parse(url).unwrap()
}

fn judged(head: &str, body: &[u8]) -> Judged {
    let head = format!("HTTP/1.1 {head}\r\n\r\n");
    let (head, _) = http::parse(head.as_bytes(), &Scrub::default()).unwrap().unwrap();
    judge(&page("http://page.example/check"), &head, body)
}

fn between(status: u16, leads_to: Option<&str>) -> Judged {
    Judged::Between(Between { status, leads_to: leads_to.map(Heard::from) })
}

#[test]
fn the_pages_that_are_made_for_this_are_fine() {
    let apple = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>\n";
    for (head, body) in [
        ("204 No Content", &b""[..]),
        ("200 OK", b""),
        ("200 OK", b"success\n"),
        ("200 OK", b"Microsoft Connect Test"),
        ("200 OK", apple),
        ("301 Moved\r\nLocation: https://page.example/check", b""),
    ] {
        assert_eq!(judged(head, body), Judged::Fine, "{head}");
    }
}

#[test]
fn whatever_else_comes_is_from_somebody_between_and_only_its_host_is_kept() {
    let sign_in = format!("<html><body>{}</body></html>", "Welcome! ".repeat(40));
    for (head, body, expected) in [
        (
            "302 Found\r\nLocation: http://login.hotel.example/?mac=00:11:22",
            "",
            between(302, Some("login.hotel.example")),
        ),
        ("302 Found\r\nLocation: /login", "", between(302, Some("page.example"))),
        ("302 Found", "", between(302, None)),
        ("511 Network Authentication Required", "", between(511, None)),
        ("403 Forbidden", "", between(403, None)),
        ("200 OK", sign_in.as_str(), between(200, None)),
        ("200 OK", "<a href=//login>sign in</a>", between(200, None)),
    ] {
        assert_eq!(judged(head, body.as_bytes()), expected, "{head}");
    }
    assert_eq!(judged("503 Service Unavailable", b""), Judged::Trouble);
}

/// Answers each connection with the next of these.
async fn server(answers: &'static [&'static str]) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = page(&format!("http://{}/check", listener.local_addr().unwrap()));
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let asked = crate::line::tests::far::request(&mut stream).await;
            assert!(asked.starts_with("GET /check HTTP/1.1\r\nHost: 127.0.0.1:"), "{asked}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn a_sign_in_page_is_told_when_it_comes_and_when_it_goes() {
    const FINE: &str = "HTTP/1.1 204 No Content\r\n\r\n";
    const SIGN_IN: &str = "HTTP/1.1 302 Found\r\nLocation: https://login.example/a?b\r\nContent-Length: 0\r\n\r\n";
    let url = server(&[FINE, SIGN_IN, SIGN_IN, FINE, "HTTP/1.1 502 Bad Gateway\r\n\r\n", "SSH-2.0-x\r\n"]).await;
    let recorder = Recorder::unwritten(Clock::real());
    let mut noted = recorder.listen();
    let page = Page { recorder, control: 3, url: url.clone(), between: Mutex::new(None) };
    let at = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut results = vec![];
    for _ in 0..6 {
        let mut stream = tokio::net::TcpStream::connect(&at).await.unwrap();
        results.push(page.ask(&mut stream).await.map_err(|says| says.as_str().to_owned()));
    }
    assert_eq!(results[..4], [Ok(()), Ok(()), Ok(()), Ok(())]);
    assert_eq!(results[4], Err("it answers with status 502".into()));
    assert!(results[5].as_ref().is_err_and(|says| says.contains("not HTTP")), "{:?}", results[5]);
    let facts: Vec<Fact> = std::iter::from_fn(|| noted.try_recv().ok()).map(|event| event.fact.clone()).collect();
    let leads_to = Some("login.example".into());
    let expected = [Control::Portal { control: 3, status: 302, leads_to }, Control::PortalGone { control: 3 }];
    assert_eq!(facts, expected.map(Fact::from));
}
