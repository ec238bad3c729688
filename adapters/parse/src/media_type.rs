//! What a file is: by its first bytes where they leave no doubt, then by its name, then by what the caller says.

use crate::FormatParser;
use chat_core::ports::ParseInput;

/// A file's media type, and how to name it to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Lower case, without parameters.
    pub(crate) media_type: String,
    name: Option<&'static str>,
}

impl Kind {
    fn of(media_type: impl Into<String>) -> Self {
        let media_type = media_type.into();
        let name = NAMED.iter().find(|(_, own, _)| *own == media_type).map(|(_, _, name)| *name);
        Self { media_type, name }
    }

    /// "a PDF document".
    pub(crate) fn description(&self) -> String {
        self.name.map_or_else(|| format!("of the type {}", self.media_type), str::to_owned)
    }
}

/// First bytes that no text has, with an offset where they do not come first.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"BZh91AY&SY", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (257, b"ustar", "application/x-tar"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"OggS\0", "audio/ogg"),
    (0, b"fLaC\0", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (0, b"\0asm", "application/wasm"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
];

/// Formats that people try: extension, media type, and a name for them.
const NAMED: &[(&str, &str, &str)] = &[
    ("pdf", "application/pdf", "a PDF document"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a Word document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "an Excel workbook"),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "a PowerPoint presentation",
    ),
    ("doc", "application/msword", "a Word document (97-2003)"),
    ("xls", "application/vnd.ms-excel", "an Excel workbook (97-2003)"),
    ("ppt", "application/vnd.ms-powerpoint", "a PowerPoint presentation (97-2003)"),
    ("odt", "application/vnd.oasis.opendocument.text", "an OpenDocument text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet"),
    ("epub", "application/epub+zip", "an EPUB book"),
    ("rtf", "application/rtf", "a rich text (RTF) document"),
    ("png", "image/png", "a PNG image"),
    ("jpg", "image/jpeg", "a JPEG image"),
    ("jpeg", "image/jpeg", "a JPEG image"),
    ("gif", "image/gif", "a GIF image"),
    ("webp", "image/webp", "a WebP image"),
    ("svg", "image/svg+xml", "an SVG image"),
    ("bmp", "image/bmp", "a bitmap image"),
    ("zip", "application/zip", "a ZIP archive"),
    ("jar", "application/java-archive", "a Java archive"),
    ("gz", "application/gzip", "a gzip archive"),
    ("bz2", "application/x-bzip2", "a bzip2 archive"),
    ("xz", "application/x-xz", "an xz archive"),
    ("zst", "application/zstd", "a Zstandard archive"),
    ("7z", "application/x-7z-compressed", "a 7-Zip archive"),
    ("rar", "application/vnd.rar", "a RAR archive"),
    ("tar", "application/x-tar", "a tar archive"),
    ("exe", "application/vnd.microsoft.portable-executable", "a Windows program"),
    ("dll", "application/vnd.microsoft.portable-executable", "a Windows program"),
    ("so", "application/x-executable", "a program (ELF)"),
    ("class", "application/java-vm", "a Java class"),
    ("wasm", "application/wasm", "a WebAssembly module"),
    ("sqlite", "application/vnd.sqlite3", "an SQLite database"),
    ("db", "application/vnd.sqlite3", "an SQLite database"),
    ("mp3", "audio/mpeg", "an MP3 recording"),
    ("ogg", "audio/ogg", "an Ogg recording"),
    ("flac", "audio/flac", "a FLAC recording"),
    ("wav", "audio/wav", "a WAV recording"),
    ("mp4", "video/mp4", "an MP4 video"),
    ("mkv", "video/x-matroska", "a Matroska video"),
    ("woff", "font/woff", "a web font"),
    ("woff2", "font/woff2", "a web font"),
    ("msi", "application/x-ole-storage", "an old Office document"),
];

/// What a file is.
pub(crate) fn detect(formats: &[Box<dyn FormatParser>], input: &ParseInput) -> Kind {
    let extension = extension(&input.filename);
    if let Some(kind) = by_magic(&input.bytes, &extension) {
        return kind;
    }
    let own = formats.iter().flat_map(|format| format.extensions());
    let known = own.copied().chain(NAMED.iter().map(|(extension, media_type, _)| (*extension, *media_type)));
    if let Some((_, media_type)) = known.into_iter().find(|(known, _)| *known == extension) {
        return Kind::of(media_type);
    }
    let declared = input.media_type.as_deref().map(essence).filter(|declared| tells_something(declared));
    let sniffed = || formats.iter().find_map(|format| format.sniff(&input.bytes)).map(str::to_owned);
    Kind::of(declared.or_else(sniffed).unwrap_or_else(|| "text/plain".to_owned()))
}

fn by_magic(bytes: &[u8], extension: &str) -> Option<Kind> {
    let (_, _, media_type) = MAGIC.iter().find(|(at, magic, _)| has_magic(bytes, *at, magic))?;
    // Office files and books are ZIP or OLE inside: there the name knows more.
    let container = matches!(*media_type, "application/zip" | "application/x-ole-storage");
    let named = NAMED.iter().find(|(known, _, _)| container && *known == extension);
    Some(Kind::of(named.map_or(*media_type, |(_, media_type, _)| media_type)))
}

fn has_magic(bytes: &[u8], at: usize, magic: &[u8]) -> bool {
    // A text may begin with a word such as `ID3`; the format itself has zero bytes soon after.
    let is_word = magic.len() < 6 && magic.iter().all(u8::is_ascii_alphanumeric);
    let zero_soon = || bytes[..bytes.len().min(1024)].contains(&0);
    bytes.get(at..).is_some_and(|rest| rest.starts_with(magic)) && (!is_word || zero_soon())
}

fn extension(filename: &str) -> String {
    let name = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

/// A media type without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Clients send these for whatever they do not know.
fn tells_something(media_type: &str) -> bool {
    media_type.contains('/')
        && !matches!(media_type, "application/octet-stream" | "binary/octet-stream" | "*/*")
}
