//! Rules about the tree itself: what nobody enforces is no rule.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files that git tracks or would track.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<_> =
        listed.lines().map(PathBuf::from).filter(|file| root().join(file).is_file()).collect();
    assert!(files.len() > 50, "git lists only {} files", files.len());
    files
}

fn text(file: &Path) -> Option<String> {
    fs::read_to_string(root().join(file)).ok()
}

fn rust() -> Vec<(PathBuf, String)> {
    let rust = files().into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs"));
    rust.map(|file| (file.clone(), text(&file).unwrap())).collect()
}

/// The workspace's own crates that a crate's `[dependencies]` name.
fn dependencies(manifest: &Path) -> (String, Vec<String>) {
    let manifest = text(manifest).unwrap();
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let own = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    (name.to_owned(), own.filter(|name| name.starts_with("chat-")).map(str::to_owned).collect())
}

#[test]
fn dependencies_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("chat-core", [].as_slice()),
        ("chat-config", &["chat-core"]),
        ("chat-jobs", &["chat-core"]),
        ("chat-worker", &["chat-core", "chat-jobs"]),
        ("chat-api", &["chat-core", "chat-jobs"]),
        ("chat-embedded", &["chat-core"]),
        ("chat-offline", &["chat-core"]),
        ("chat-openai", &["chat-core"]),
        ("chat-parse", &["chat-core"]),
        ("chat-postgres", &["chat-core"]),
        // Followed streams are mirrored, and lanes are fed while Redis is away, by the embedded parts.
        ("chat-redis", &["chat-core", "chat-embedded"]),
        ("chat-s3", &["chat-core"]),
        ("chat-weaviate", &["chat-core"]),
    ]);
    // Only these pick adapters, and may know everything.
    let roots = ["chat", "chat-adapters", "chat-tests"];
    let manifests =
        files().into_iter().filter(|file| file.ends_with("Cargo.toml") && file != Path::new("Cargo.toml"));
    for manifest in manifests {
        let (name, own) = dependencies(&manifest);
        if roots.contains(&name.as_str()) {
            continue;
        }
        let may = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no place in the layering"));
        for dependency in own {
            assert!(may.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn the_inside_knows_no_engine() {
    let foreign = ["sqlx", "axum", "redis", "apalis", "reqwest", "hyper", "async_openai", "aws_sdk_s3"];
    for (file, source) in rust() {
        if !(file.starts_with("core/src") || file.starts_with("jobs/src")) {
            continue;
        }
        for name in foreign {
            let named = [format!("use {name}::"), format!("{name}::")];
            assert!(!named.iter().any(|n| source.contains(n.as_str())), "{} knows {name}", file.display());
        }
    }
}

#[test]
fn files_stay_short() {
    let long: Vec<_> = rust()
        .into_iter()
        .filter(|(_, source)| source.lines().count() > 400)
        .map(|(file, source)| format!("{} ({})", file.display(), source.lines().count()))
        .collect();
    assert!(long.is_empty(), "over 400 lines, split by meaning: {}", long.join(", "));
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["unimpl", "emented!("].concat(),
        ["to", "do!("].concat(),
    ];
    for (file, source) in rust() {
        for mark in &marks {
            assert!(!source.contains(mark.as_str()), "{} says {mark}", file.display());
        }
    }
}

#[test]
fn no_path_of_a_machine_and_no_secret_is_committed() {
    let home = ["/ro", "ot/"].concat();
    let signs =
        [home, ["/wo", "rk/"].concat(), ["BEGIN ", "PRIVATE KEY"].concat(), ["index.", "crates.io"].concat()];
    for file in files().into_iter().filter(|file| !file.ends_with("Cargo.lock")) {
        let Some(source) = text(&file) else { continue };
        for sign in &signs {
            assert!(!source.contains(sign.as_str()), "{} holds {sign}", file.display());
        }
    }
}

#[test]
fn every_job_kind_is_registered() {
    let declared: Vec<String> = rust()
        .into_iter()
        .filter(|(file, _)| file.starts_with("jobs/src/kinds"))
        .flat_map(|(_, source)| {
            let kinds = source.lines().filter_map(|line| {
                let kind = line.trim().strip_prefix("const KIND: &'static str = \"")?;
                Some(kind.strip_suffix("\";")?.to_owned())
            });
            kinds.collect::<Vec<_>>()
        })
        .collect();
    assert!(declared.len() >= 8, "only {declared:?} were found");
    let registered = chat_jobs::registry().kinds();
    for kind in declared {
        assert!(registered.contains(&kind.as_str()), "{kind} is not registered");
    }
}

#[test]
fn payloads_of_released_versions_decode() {
    let registry = chat_jobs::registry();
    let samples = text(Path::new("tests/data/payloads.tsv")).unwrap();
    let samples: Vec<_> = samples.lines().filter_map(|line| line.split_once('\t')).collect();
    for (kind, payload) in &samples {
        let handler = registry.get(kind).unwrap_or_else(|| panic!("{kind} is not known any more"));
        assert!(handler.decodes(payload), "{kind} does not decode {payload}");
        assert!(!handler.decodes("7"), "{kind} decodes anything");
    }
    for kind in registry.kinds() {
        assert!(samples.iter().any(|(sample, _)| *sample == kind), "{kind} has no sample payload");
    }
}

/// The types of `core` that say whose something is.
fn owned_types() -> Vec<String> {
    let mut owned = vec!["Tenant".to_owned()];
    for (_, source) in rust().into_iter().filter(|(file, _)| file.starts_with("core/src")) {
        for item in source.split("pub struct ").skip(1) {
            let (name, body) =
                (item.split([' ', '<', '(', ';']).next().unwrap(), item.split("\n}").next().unwrap());
            if body.contains("pub tenant: Tenant,") || body.contains("pub tenant: Option<Tenant>,") {
                owned.push(name.to_owned());
            }
        }
    }
    owned
}

fn names_any(text: &str, types: &[String]) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| types.iter().any(|of| of == word))
}

#[test]
fn every_read_and_write_of_a_tenant_is_probed_with_anothers_ids() {
    let suite = text(Path::new("tests/src/contract/tenants.rs")).unwrap();
    let owned = owned_types();
    assert!(owned.len() > 8, "only {owned:?} were found");
    let store = text(Path::new("core/src/ports/store.rs")).unwrap();
    let (mut reads, mut writes) = (0, 0);
    for method in store.split("async fn ").skip(1) {
        let (name, arguments) = method.split(';').next().unwrap().split_once('(').unwrap();
        let arguments = arguments.split("->").next().unwrap();
        // A commit is probed by its changes.
        if name != "commit" && names_any(arguments, &owned) {
            reads += 1;
            let called = format!("store.{name}(");
            assert!(suite.contains(&called), "tests/src/contract/tenants.rs does not probe {name}");
        }
    }
    let changes = text(Path::new("core/src/change.rs")).unwrap();
    let changes = changes.split("pub enum Change {").nth(1).unwrap().split("\n}").next().unwrap();
    let begins = |line: &&str| line.starts_with("    ") && line[4..].starts_with(char::is_uppercase);
    let lines: Vec<&str> = changes.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|at| begins(&lines[*at])).collect();
    for (number, start) in starts.iter().enumerate() {
        let variant = lines[*start..starts.get(number + 1).copied().unwrap_or(lines.len())].join("\n");
        let name = variant.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap();
        if names_any(&variant[variant.find(name).unwrap() + name.len()..], &owned) {
            writes += 1;
            let probe = [format!("Change::{name}("), format!("Change::{name} {{")];
            assert!(
                probe.iter().any(|probe| suite.contains(probe)),
                "tests/src/contract/tenants.rs does not probe {name}"
            );
        }
    }
    assert!(reads >= 20 && writes >= 15, "only {reads} reads and {writes} writes were found");
}
