//! What a failure is called, and what its owner is told: stable codes and sentences without inner details.

use chat_core::{Failure, PortError};

/// Marks an error as the language model's, in job histories too.
const MODEL: &str = "the language model: ";

/// An error of the language model or of the embedding model behind it.
pub(crate) fn of_model(mut error: PortError) -> PortError {
    if !error.message.starts_with(MODEL) {
        error.message.insert_str(0, MODEL);
    }
    error
}

/// Whether a message in a job's history speaks of the language model, or of the embedding model.
pub fn is_of_model(message: &str) -> bool {
    message.starts_with(MODEL)
}

/// The code that a response's owner sees for an error's kind and message.
pub fn response_failure_code(kind: &str, message: &str) -> &'static str {
    let model = is_of_model(message);
    match kind {
        "unauthorized" => "provider_unauthorized",
        "rate_limited" => "rate_limited",
        "timeout" => "timeout",
        "protocol" => "provider_error",
        "invalid" | "not_found" | "conflict" if model => "provider_rejected",
        "unavailable" if model => "provider_unavailable",
        "unavailable" => "dependency_unavailable",
        "stale" => "worker_lost",
        _ => "internal",
    }
}

/// Why a response failed, for its owner.
pub fn response_failure(failure: &Failure) -> Failure {
    let code = response_failure_code(&failure.code, &failure.message);
    Failure { code: code.into(), message: sentence(code).into() }
}

/// Why a document could not be taken in, for its owner. What is wrong with the file itself is said in full; what a model
/// finds invalid is no fault of the file.
pub fn document_failure(failure: &Failure) -> Failure {
    if failure.code == "invalid" && !is_of_model(&failure.message) {
        return Failure { code: "invalid_document".into(), message: failure.message.clone() };
    }
    response_failure(failure)
}

fn sentence(code: &str) -> &'static str {
    match code {
        "provider_unauthorized" => "The model provider does not accept the configured credentials.",
        "rate_limited" => "The model provider asks to slow down. Try again later.",
        "timeout" => "It took longer than allowed.",
        "provider_error" => "The model provider answered something that makes no sense.",
        "provider_rejected" => {
            "The model provider rejected the request: the model's name or its limits may be wrong."
        }
        "provider_unavailable" => "The model provider cannot be reached.",
        "dependency_unavailable" => "A service that is needed for this is away. Try again later.",
        "worker_lost" => "The worker that did this was lost, more than once.",
        _ => "Something went wrong inside. The job's history says more.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_core::ErrorKind;

    #[test]
    fn an_owner_sees_a_code_and_no_inner_detail() {
        let error = of_model(PortError::unavailable("connect 10.0.0.7:8080 with key sk-secret: refused"));
        let inner = Failure { code: error.kind.as_str().into(), message: error.message };
        let told = response_failure(&inner);
        assert_eq!(told.code, "provider_unavailable");
        assert!(!told.message.contains("sk-secret") && !told.message.contains("10.0.0.7"));
    }

    #[test]
    fn the_store_being_away_is_not_the_providers_fault() {
        assert_eq!(response_failure_code("unavailable", "the database is locked"), "dependency_unavailable");
        assert_eq!(response_failure_code(ErrorKind::Unauthorized.as_str(), "x"), "provider_unauthorized");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let failure = Failure { code: "invalid".into(), message: "the file is empty".into() };
        assert_eq!(
            document_failure(&failure),
            Failure { code: "invalid_document".into(), message: "the file is empty".into() }
        );
    }

    #[test]
    fn what_a_model_finds_invalid_is_no_fault_of_the_file() {
        let error = of_model(PortError::invalid("400 from http://10.0.0.7: the input is too long"));
        let told =
            document_failure(&Failure { code: error.kind.as_str().into(), message: error.message.clone() });
        assert_eq!(told.code, "provider_rejected");
        assert!(!told.message.contains("10.0.0.7"));
    }
}
