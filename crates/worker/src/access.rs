//! What an attempt is given: between the words of the port and the executor's own.

use taskloom_executor::program::{DataSource, VcenterLogin};
use taskloom_vault::Hidden;
use taskloom_vsphere::{Address, Thumbprint, Trust};

use super::port::{AttemptEquipment, CertificateTrust, DataSourceAccess, VcenterAccess};

/// What an attempt is given, as the executor takes it.
#[derive(Debug, Default)]
pub(super) struct AttemptAccess {
    /// Names and values.
    pub(super) secrets: Vec<(String, Hidden)>,
    pub(super) source: Option<DataSource>,
    pub(super) vcenter: Option<VcenterLogin>,
}

impl TryFrom<AttemptEquipment> for AttemptAccess {
    type Error = UnreadableAccess;

    fn try_from(equipment: AttemptEquipment) -> Result<Self, UnreadableAccess> {
        let AttemptEquipment { secrets, source, vcenter } = equipment;
        Ok(Self {
            secrets: secrets.into_iter().map(|(name, value)| (name, value.into())).collect(),
            source: source.map(Into::into),
            vcenter: vcenter.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<DataSource> for DataSourceAccess {
    fn from(source: DataSource) -> Self {
        let DataSource { name, kind, host, port, database, user, password, options } = source;
        Self { name, kind, host, port, database, user, password: password.map(Into::into), options }
    }
}

impl From<DataSourceAccess> for DataSource {
    fn from(access: DataSourceAccess) -> Self {
        let DataSourceAccess { name, kind, host, port, database, user, password, options } = access;
        Self { name, kind, host, port, database, user, password: password.map(Into::into), options }
    }
}

impl From<VcenterLogin> for VcenterAccess {
    fn from(server: VcenterLogin) -> Self {
        let VcenterLogin { name, address, trust, user, password } = server;
        let trust = match trust {
            Trust::SystemRoots => CertificateTrust::System,
            Trust::Ca(pem) => CertificateTrust::Authorities(pem),
            Trust::Thumbprint(thumbprint) => CertificateTrust::Thumbprint(thumbprint.to_string()),
        };
        Self { name, address: address.to_string(), trust, user, password: password.into() }
    }
}

/// A vCenter's address or thumbprint that came through the port cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("how to reach its vCenter cannot be read: {0}")]
pub struct UnreadableAccess(String);

impl TryFrom<VcenterAccess> for VcenterLogin {
    type Error = UnreadableAccess;

    fn try_from(access: VcenterAccess) -> Result<Self, UnreadableAccess> {
        let VcenterAccess { name, address, trust, user, password } = access;
        let address = Address::parse(&address).map_err(|error| UnreadableAccess(error.to_string()))?;
        let trust = match trust {
            CertificateTrust::System => Trust::SystemRoots,
            CertificateTrust::Authorities(pem) => Trust::Ca(pem),
            CertificateTrust::Thumbprint(text) => {
                Trust::Thumbprint(Thumbprint::parse(&text).map_err(|error| UnreadableAccess(error.to_string()))?)
            }
        };
        Ok(Self { name, address, trust, user, password: password.into() })
    }
}

#[cfg(test)]
mod tests {
    use taskloom_core::DataSourceKind;

    use super::*;

    fn server(trust: Trust) -> VcenterLogin {
        let password = Hidden::new("p".to_owned());
        VcenterLogin { name: "lab".into(), address: "lab:8443".parse().unwrap(), trust, user: "root".into(), password }
    }

    #[test]
    fn what_is_signed_in_with_comes_out_as_it_went_in() {
        let source = DataSource {
            name: "books".into(),
            kind: DataSourceKind::Mysql,
            host: Some("db".into()),
            port: None,
            database: "books".into(),
            user: Some("reader".into()),
            password: Some(Hidden::new("p".to_owned())),
            options: vec![("charset".into(), "utf8mb4".into())],
        };
        assert_eq!(DataSource::from(DataSourceAccess::from(source.clone())), source);
        let thumbprint = Trust::Thumbprint(Thumbprint::of(b"certificate"));
        for trust in [Trust::SystemRoots, Trust::Ca("-----BEGIN".into()), thumbprint] {
            let server = server(trust);
            assert_eq!(VcenterLogin::try_from(VcenterAccess::from(server.clone())).unwrap(), server);
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let whole = VcenterAccess::from(server(Trust::SystemRoots));
        let trust = CertificateTrust::Thumbprint("no".into());
        for wrong in [VcenterAccess { address: "ftp://lab".into(), ..whole.clone() }, VcenterAccess { trust, ..whole }]
        {
            let refused = VcenterLogin::try_from(wrong).unwrap_err().to_string();
            assert!(refused.starts_with("how to reach its vCenter cannot be read: "), "{refused}");
        }
    }
}
