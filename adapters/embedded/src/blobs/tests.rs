use super::*;
use futures::stream;
use std::fs;

fn opened() -> (tempfile::TempDir, FileBlobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(folder.path().join("blobs")).unwrap();
    (folder, blobs)
}

fn pieces(parts: &[&'static [u8]]) -> ByteStream {
    stream::iter(parts.iter().map(|part| Ok(Bytes::from_static(part))).collect::<Vec<_>>()).boxed()
}

async fn read(blobs: &FileBlobs, key: &str, range: Option<Range<u64>>) -> PortResult<Vec<u8>> {
    let pieces: Vec<Bytes> = blobs.get(key, range).await?.try_collect().await?;
    Ok(pieces.concat())
}

fn staged(blobs: &FileBlobs) -> usize {
    fs::read_dir(blobs.root.join(STAGING)).unwrap().count()
}

#[tokio::test]
async fn gives_back_what_was_put() {
    let (_folder, blobs) = opened();
    assert_eq!(blobs.put("files/1", pieces(&[b"hello ", b"", b"world"])).await.unwrap(), 11);
    assert_eq!(read(&blobs, "files/1", None).await.unwrap(), b"hello world");
    assert_eq!(read(&blobs, "files/1", Some(6..8)).await.unwrap(), b"wo");
    assert_eq!(read(&blobs, "files/1", Some(6..99)).await.unwrap(), b"world");
    assert_eq!(read(&blobs, "files/1", Some(11..11)).await.unwrap(), b"");
    assert_eq!(read(&blobs, "files/1", Some(12..13)).await.unwrap_err().kind, ErrorKind::Invalid);
    assert_eq!(blobs.size("files/1").await.unwrap(), 11);
    assert_eq!(staged(&blobs), 0);
    blobs.ping().await.unwrap();
}

#[tokio::test]
async fn large_files_come_in_bounded_pieces() {
    let (_folder, blobs) = opened();
    let big = Bytes::from((0..1_000_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
    blobs.put("big", stream::iter([Ok(big.clone())]).boxed()).await.unwrap();
    let read: Vec<Bytes> = blobs.get("big", None).await.unwrap().try_collect().await.unwrap();
    assert!(read.iter().all(|piece| piece.len() <= PIECE));
    assert_eq!(read.concat(), big);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (_folder, blobs) = opened();
    assert_eq!(blobs.size("none").await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(read(&blobs, "none", None).await.unwrap_err().kind, ErrorKind::NotFound);
    blobs.delete("none").await.unwrap();
}

#[tokio::test]
async fn keys_cannot_lead_out() {
    let (folder, blobs) = opened();
    for key in ["../out", "a/../../out", "/out", "tmp/out"] {
        assert_eq!(blobs.put(key, pieces(&[b"x"])).await.unwrap_err().kind, ErrorKind::Invalid);
        assert_eq!(blobs.delete(key).await.unwrap_err().kind, ErrorKind::Invalid);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_stream_that_fails_leaves_nothing() {
    let (_folder, blobs) = opened();
    let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err(PortError::invalid("cut"))]).boxed();
    assert_eq!(blobs.put("file", broken).await.unwrap_err().message, "cut");
    assert_eq!(blobs.size("file").await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(staged(&blobs), 0);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing() {
    let (_folder, blobs) = opened();
    let endless = stream::iter([Ok(Bytes::from_static(b"half"))]).chain(stream::pending()).boxed();
    let put = blobs.put("file", endless);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), put).await.is_err());
    assert_eq!(blobs.size("file").await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(staged(&blobs), 0);
}

#[tokio::test]
async fn opening_removes_what_a_crash_left() {
    let (_folder, blobs) = opened();
    blobs.put("kept", pieces(&[b"x"])).await.unwrap();
    fs::write(blobs.root.join(STAGING).join("left"), b"half").unwrap();
    let blobs = FileBlobs::open(blobs.root.clone()).unwrap();
    assert_eq!(staged(&blobs), 0);
    assert_eq!(blobs.size("kept").await.unwrap(), 1);
}

#[tokio::test]
async fn a_delete_removes_empty_folders_and_nothing_else() {
    let (_folder, blobs) = opened();
    blobs.put("a/b/one", pieces(&[b"1"])).await.unwrap();
    blobs.put("a/two", pieces(&[b"2"])).await.unwrap();
    blobs.delete("a/b/one").await.unwrap();
    assert!(!blobs.root.join("a/b").exists());
    assert_eq!(blobs.size("a/two").await.unwrap(), 1);
    blobs.delete("a/two").await.unwrap();
    blobs.ping().await.unwrap();
}

#[test]
fn a_full_disk_is_worth_another_try() {
    let error = failed(io::Error::from(io::ErrorKind::StorageFull), "writing a file");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("full"), "{error}");
}
