//! What an attempt is given because its definition names it. Of a password or a secret only [`PortSecret`] knows the
//! text.

use serde::{Deserialize, Serialize};
use taskloom_core::DataSourceKind;

use super::secret::PortSecret;

/// What an attempt names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptNeeds {
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// The name of a data source.
    pub source: Option<String>,
    /// The name of a vCenter.
    pub vcenter: Option<String>,
}

/// What it is given for that. It leaves the worker in nothing that the attempt says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptEquipment {
    /// Names and values.
    pub secrets: Vec<(String, PortSecret)>,
    pub source: Option<DataSourceAccess>,
    pub vcenter: Option<VcenterAccess>,
}

/// A database, and how to sign in there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSourceAccess {
    /// As it was registered, for the log.
    pub name: String,
    pub kind: DataSourceKind,
    /// None for a file.
    pub host: Option<String>,
    /// None: the usual one of its kind.
    pub port: Option<u16>,
    /// Its name there, or a file below the worker's own folder of databases.
    pub database: String,
    pub user: Option<String>,
    pub password: Option<PortSecret>,
    /// Options of the connection, by name.
    pub options: Vec<(String, String)>,
}

/// A vCenter, and how to sign in there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VcenterAccess {
    /// As it was registered, for the log.
    pub name: String,
    /// `https://host[:port]/sdk`.
    pub address: String,
    pub trust: CertificateTrust,
    pub user: String,
    pub password: PortSecret,
}

/// Why a vCenter's certificate is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CertificateTrust {
    /// An authority that the worker's system trusts has signed it.
    System,
    /// One of these authorities has, in PEM.
    Authorities(String),
    /// It is the one with this SHA-256, in pairs of hexadecimal digits with colons between.
    Thumbprint(String),
}
