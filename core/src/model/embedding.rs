//! Which embedding models the index has vectors of.

use crate::{PortError, PortResult};

/// What a model's vectors are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModelState {
    /// Searches use them.
    Live,
    /// They are made, beside those of the live model, until every version that answers has them.
    Building,
    /// Nobody needs them any more: they are being removed.
    Dropping,
}

impl ModelState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Live, Self::Building, Self::Dropping];

    /// The name in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Building => "building",
            Self::Dropping => "dropping",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A model that has vectors in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingModel {
    /// Its name.
    pub name: String,
    /// How long its vectors were asked to be; none: as the model likes.
    pub dimensions: Option<u32>,
    /// What its vectors are for.
    pub state: ModelState,
}

/// The models that are known: at most one is live, and at most one is built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmbeddingModels(pub Vec<EmbeddingModel>);

impl EmbeddingModels {
    /// The model whose vectors searches use; none before the first was recorded.
    pub fn live(&self) -> Option<&EmbeddingModel> {
        self.0.iter().find(|model| model.state == ModelState::Live)
    }

    /// The model that is to follow it.
    pub fn building(&self) -> Option<&EmbeddingModel> {
        self.0.iter().find(|model| model.state == ModelState::Building)
    }

    /// Models whose vectors are being removed.
    pub fn dropping(&self) -> impl Iterator<Item = &EmbeddingModel> {
        self.0.iter().filter(|model| model.state == ModelState::Dropping)
    }

    /// Whether vectors of this model are made or used.
    pub fn wants(&self, name: &str) -> bool {
        self.0.iter().any(|model| model.name == name && model.state != ModelState::Dropping)
    }

    /// What changes so that `wanted` becomes the live model: the first at once, any other when it is built. Another
    /// model that was being built is given up. `Conflict` while old vectors of `wanted` are being removed.
    pub fn toward(&self, wanted: &str) -> PortResult<Vec<(String, ModelState)>> {
        let known = self.0.iter().find(|model| model.name == wanted).map(|model| model.state);
        if known == Some(ModelState::Dropping) {
            return Err(PortError::new(
                crate::ErrorKind::Conflict,
                format!("vectors of {wanted} are still being removed: try again when that is done"),
            ));
        }
        if self.live().is_none() {
            return Ok(vec![(wanted.to_owned(), ModelState::Live)]);
        }
        let given_up = self.building().filter(|model| model.name != wanted);
        let mut changes: Vec<_> =
            given_up.map(|model| (model.name.clone(), ModelState::Dropping)).into_iter().collect();
        if known.is_none() {
            changes.push((wanted.to_owned(), ModelState::Building));
        }
        Ok(changes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{ModelState::*, *};

    fn models(known: &[(&str, ModelState)]) -> EmbeddingModels {
        let model = |(name, state): &(&str, ModelState)| EmbeddingModel {
            name: (*name).into(),
            dimensions: None,
            state: *state,
        };
        EmbeddingModels(known.iter().map(model).collect())
    }

    #[test]
    fn a_model_is_built_beside_the_live_one_and_only_one_at_a_time() {
        for (known, wanted, changes) in [
            (&[][..], "a", &[("a", Live)][..]),
            (&[("a", Live)], "a", &[]),
            (&[("a", Live)], "b", &[("b", Building)]),
            (&[("a", Live), ("b", Building)], "b", &[]),
            (&[("a", Live), ("b", Building)], "a", &[("b", Dropping)]),
            (&[("a", Live), ("b", Building)], "c", &[("b", Dropping), ("c", Building)]),
            (&[("a", Live), ("b", Dropping)], "c", &[("c", Building)]),
        ] {
            let changes: Vec<_> = changes.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect();
            assert_eq!(models(known).toward(wanted).unwrap(), changes, "{known:?} to {wanted}");
        }
        assert!(models(&[("a", Live), ("b", Dropping)]).toward("b").is_err());
    }
}
