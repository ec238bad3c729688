//! Addresses that carry their own permission: signed for one file, with its name and type, and good for a while. Signing
//! asks nobody.

use crate::{S3Blobs, error::port_error};
use aws_sdk_s3::presigning::PresigningConfig;
use chat_core::{ErrorKind, PortError, PortResult, ports::Offer};

pub(crate) async fn address(blobs: &S3Blobs, key: &str, offer: &Offer) -> PortResult<String> {
    let lifetime = PresigningConfig::expires_in(offer.lifetime).map_err(|error| {
        PortError::new(ErrorKind::Invalid, "an address cannot be good for so long").with_source(error)
    })?;
    let request = blobs.outside.get_object().bucket(&blobs.bucket).key(key);
    let request =
        request.response_content_disposition(&offer.disposition).response_content_type(&offer.media_type);
    let signed =
        request.presigned(lifetime).await.map_err(|error| port_error(error, "signing an address"))?;
    Ok(signed.uri().to_owned())
}
