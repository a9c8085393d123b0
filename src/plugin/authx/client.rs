//! This program as a client of the issuer (RFC 6749): its name, its secret, and how it tells that secret.

use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenType};
use oauth2::{
    AuthType, ClientId, ClientSecret, ExtraTokenFields, StandardRevocableToken, StandardTokenIntrospectionResponse,
    StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::issuer::Metadata;
use crate::config::Authx;
use crate::error::{Error, Result};

/// What an issuer tells beyond what RFC 6749 and RFC 7662 name.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Extra {
    #[serde(flatten)]
    pub(super) all: Map<String, Value>,
}

impl ExtraTokenFields for Extra {}

/// A client whose endpoints are not known yet.
pub(super) type Client = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<Extra, BasicTokenType>,
    StandardTokenIntrospectionResponse<Extra, BasicTokenType>,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

/// Returns the client that `[authx]` describes. Its secret is read anew each time: it may be changed.
///
/// # Errors
/// `Internal` if the file of the secret cannot be read.
pub(super) fn of(authx: &Authx, metadata: &Metadata) -> Result<Client> {
    let client = Client::new(ClientId::new(authx.client_id.clone()));
    let methods = &metadata.token_endpoint_auth_methods_supported;
    let has = |name: &str| methods.iter().any(|method| method == name);
    let client = if !has("client_secret_basic") && has("client_secret_post") {
        client.set_auth_type(AuthType::RequestBody)
    } else {
        client
    };
    let Some(file) = &authx.client_secret_file else {
        return Ok(client);
    };
    let secret = std::fs::read_to_string(file)
        .map_err(|error| Error::Internal(format!("the file client-secret-file cannot be read: {error}")))?;
    Ok(client.set_client_secret(ClientSecret::new(secret.trim().to_owned())))
}
