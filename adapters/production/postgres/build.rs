//! Tells sqlx's macros where they learn what PostgreSQL says of a statement: from the folder `.sqlx`, whatever
//! `DATABASE_URL` is (it is the program's own setting, and may well be SQLite's), or, for `scripts/queries`, from a
//! database.

fn main() {
    println!("cargo:rerun-if-changed=.sqlx");
    println!("cargo:rerun-if-env-changed=QUERIES_DATABASE_URL");
    #[expect(clippy::disallowed_methods, reason = "this is no setting of the program")]
    match std::env::var("QUERIES_DATABASE_URL") {
        Ok(url) => {
            println!("cargo:rustc-env=SQLX_OFFLINE=false");
            println!("cargo:rustc-env=DATABASE_URL={url}");
        }
        Err(_) => println!("cargo:rustc-env=SQLX_OFFLINE=true"),
    }
}
