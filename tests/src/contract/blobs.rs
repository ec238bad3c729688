//! The `Blobs` port.

use bytes::Bytes;
use chat_core::{
    ErrorKind, PortError, PortResult,
    ports::{Blobs, ByteStream, Clock, Listed, Offer},
};
use chat_embedded::SystemClock;
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// Larger than a part of any upload.
const LARGE: usize = 19 * 1024 * 1024 + 7;

/// Runs every promise.
pub async fn exercise(blobs: &dyn Blobs) {
    gives_back_what_was_put(blobs).await;
    large_files_come_in_pieces(blobs).await;
    what_is_not_there_is_not_found(blobs).await;
    a_stream_that_fails_leaves_nothing(blobs).await;
    a_caller_that_goes_away_leaves_nothing(blobs).await;
    keys_cannot_lead_elsewhere(blobs).await;
    addresses_give_what_was_offered(blobs).await;
    what_is_there_is_listed(blobs).await;
    blobs.ping().await.unwrap();
}

async fn what_is_there_is_listed(blobs: &dyn Blobs) {
    let nothing: Vec<Listed> = blobs.list("listed-never").try_collect().await.unwrap();
    assert_eq!(nothing, []);
    let begun = SystemClock.now().0;
    let mut keys: Vec<String> = (0..1_050).map(|at| format!("listed/{}/{at:04}", at % 7)).collect();
    let beside = ["listed-too/a", "other/listed/b"].map(str::to_owned);
    for key in keys.iter().chain(&beside) {
        blobs.put(key, pieces(b"x", 1)).await.unwrap();
    }
    keys.sort_unstable();
    let mut listed: Vec<Listed> = blobs.list("listed").try_collect().await.unwrap();
    listed.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    assert!(listed.iter().map(|file| &file.key).eq(&keys), "{} files", listed.len());
    // Stores write whole seconds, and have a clock of their own.
    let near = |file: &Listed| (begun - 5_000..begun + 120_000).contains(&file.written.0);
    assert!(listed.iter().all(near), "{:?} after {begun}", listed[0]);
    for key in keys.iter().chain(&beside) {
        blobs.delete(key).await.unwrap();
    }
}

fn pieces(bytes: &[u8], each: usize) -> ByteStream {
    let pieces: Vec<_> = bytes.chunks(each).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces).boxed()
}

async fn read(blobs: &dyn Blobs, key: &str, range: Option<Range<u64>>) -> PortResult<Vec<u8>> {
    let pieces: Vec<Bytes> = blobs.get(key, range).await?.try_collect().await?;
    Ok(pieces.concat())
}

async fn gives_back_what_was_put(blobs: &dyn Blobs) {
    let text = "什么是所有权？ownership".as_bytes();
    assert_eq!(blobs.put("a/b/text", pieces(text, 5)).await.unwrap(), text.len() as u64);
    assert_eq!(blobs.size("a/b/text").await.unwrap(), text.len() as u64);
    assert_eq!(read(blobs, "a/b/text", None).await.unwrap(), text);
    assert_eq!(read(blobs, "a/b/text", Some(3..9)).await.unwrap(), &text[3..9]);
    assert_eq!(read(blobs, "a/b/text", Some(4..4)).await.unwrap(), b"");
    assert_eq!(read(blobs, "a/b/text", Some(20..1_000)).await.unwrap(), &text[20..]);
    let outside = read(blobs, "a/b/text", Some(1_000..2_000)).await;
    assert_eq!(outside.unwrap_err().kind, ErrorKind::Invalid);
    assert_eq!(blobs.put("empty", stream::empty().boxed()).await.unwrap(), 0);
    assert_eq!(read(blobs, "empty", None).await.unwrap(), b"");
    for key in ["a/b/text", "empty"] {
        blobs.delete(key).await.unwrap();
        blobs.delete(key).await.unwrap();
        assert_eq!(blobs.size(key).await.unwrap_err().kind, ErrorKind::NotFound);
    }
}

async fn large_files_come_in_pieces(blobs: &dyn Blobs) {
    let bytes: Vec<u8> = (0..LARGE).map(|at| (at % 251) as u8).collect();
    assert_eq!(blobs.put("large", pieces(&bytes, 100_000)).await.unwrap(), LARGE as u64);
    assert!(read(blobs, "large", None).await.unwrap() == bytes, "other bytes came back");
    let (from, to) = (8_388_000, 8_389_500);
    assert!(read(blobs, "large", Some(from as u64..to as u64)).await.unwrap() == bytes[from..to]);
    let largest = blobs.get("large", None).await.unwrap().map(|piece| piece.unwrap().len());
    assert!(
        largest.fold(0, async |most, piece| most.max(piece)).await <= 1024 * 1024,
        "a piece is too large"
    );
    blobs.delete("large").await.unwrap();
}

async fn what_is_not_there_is_not_found(blobs: &dyn Blobs) {
    assert_eq!(read(blobs, "nothing/here", None).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(read(blobs, "nothing/here", Some(0..10)).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(blobs.size("nothing/here").await.unwrap_err().kind, ErrorKind::NotFound);
}

async fn a_stream_that_fails_leaves_nothing(blobs: &dyn Blobs) {
    for length in [10, LARGE] {
        let bytes = vec![7; length];
        let broken = stream::iter([Err(PortError::invalid("it broke off"))]);
        let error = blobs.put("broken", pieces(&bytes, 1_000_000).chain(broken).boxed()).await.unwrap_err();
        assert_eq!((error.kind, &*error.message), (ErrorKind::Invalid, "it broke off"));
        assert_eq!(blobs.size("broken").await.unwrap_err().kind, ErrorKind::NotFound);
    }
}

async fn a_caller_that_goes_away_leaves_nothing(blobs: &dyn Blobs) {
    let bytes = vec![7; LARGE];
    let endless = pieces(&bytes, 1_000_000).chain(stream::pending()).boxed();
    assert!(tokio::time::timeout(Duration::from_millis(500), blobs.put("left", endless)).await.is_err());
    assert_eq!(blobs.size("left").await.unwrap_err().kind, ErrorKind::NotFound);
}

async fn keys_cannot_lead_elsewhere(blobs: &dyn Blobs) {
    for key in ["../up", "/root", "a//b", "文件", "tmp/x", ""] {
        assert_eq!(
            blobs.put(key, stream::empty().boxed()).await.unwrap_err().kind,
            ErrorKind::Invalid,
            "{key}"
        );
        assert_eq!(blobs.delete(key).await.unwrap_err().kind, ErrorKind::Invalid, "{key}");
    }
}

/// Where a store has addresses at all.
async fn addresses_give_what_was_offered(blobs: &dyn Blobs) {
    let (key, text) = ("a/handbook", "什么是所有权？ownership".as_bytes());
    blobs.put(key, pieces(text, 5)).await.unwrap();
    let name = "attachment; filename=\"__.md\"; filename*=UTF-8''%E6%89%8B%E5%86%8C.md";
    let offer = |lifetime| Offer {
        disposition: name.to_owned(),
        media_type: "text/markdown; charset=utf-8".to_owned(),
        lifetime,
    };
    let Some(address) = blobs.address(key, &offer(Duration::from_mins(1))).await.unwrap() else { return };
    let http = crate::chat::http();
    let whole = http.get(&address).send().await.unwrap();
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.headers()["content-disposition"], name);
    assert_eq!(whole.headers()["content-type"], "text/markdown; charset=utf-8");
    assert_eq!(whole.bytes().await.unwrap(), text);
    let part = http.get(&address).header("range", "bytes=3-8").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.unwrap(), text[3..9]);

    // Signed for this file, this name, and reading.
    let elsewhere = address.replacen("a/handbook", "a/other", 1);
    let renamed = address.replacen("attachment", "inline", 1);
    assert!(elsewhere != address && renamed != address, "{address}");
    for wrong in [elsewhere, renamed] {
        assert_eq!(http.get(&wrong).send().await.unwrap().status(), 403, "{wrong}");
    }
    assert_eq!(http.delete(&address).send().await.unwrap().status(), 403);
    let short = blobs.address(key, &offer(Duration::from_secs(1))).await.unwrap().unwrap();
    let ends = Instant::now() + Duration::from_secs(20);
    while http.get(&short).send().await.unwrap().status() != 403 {
        assert!(Instant::now() < ends, "an address of one second is still good");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(
        blobs.address("../up", &offer(Duration::from_mins(1))).await.unwrap_err().kind,
        ErrorKind::Invalid
    );
    blobs.delete(key).await.unwrap();
}
