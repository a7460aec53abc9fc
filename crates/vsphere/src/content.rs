//! What a vCenter says of itself, and where its managers are.

use std::collections::HashMap;

use super::error::Error;
use super::reference::{LONGEST, Reference};
use super::soap;
use super::xml::{Malformed, Reader, Writer};

/// What a server is. (vSphere Web Services API, AboutInfo.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// `VMware vCenter Server`.
    pub name: String,
    /// The same with version and build.
    pub full_name: String,
    /// Such as `8.0.3`.
    pub version: String,
    /// Such as `24022515`.
    pub build: String,
    /// The newest version of the API that it speaks, such as `8.0.3.0`.
    pub api_version: String,
    /// `VirtualCenter`; a single host is `HostAgent`.
    pub api_type: String,
    /// `VMware, Inc.`
    pub vendor: String,
    /// `vpx`.
    pub product_line_id: String,
    /// Such as `linux-x64`.
    pub os_type: String,
    /// The vCenter's identity: its tasks' keys mean something only beside it.
    pub instance_uuid: String,
}

/// The objects that calls begin with. (vSphere Web Services API, ServiceContent.)
#[derive(Clone, Debug)]
pub(super) struct ServiceContent {
    pub(super) about: About,
    pub(super) root_folder: Reference,
    pub(super) property_collector: Reference,
    pub(super) view_manager: Reference,
    pub(super) session_manager: Reference,
    pub(super) task_manager: Reference,
    pub(super) search_index: Reference,
}

/// The one object whose reference every vCenter shares.
pub(super) fn service_instance() -> Reference {
    Reference::new("ServiceInstance", "ServiceInstance")
}

impl ServiceContent {
    /// The call that asks for it.
    pub(super) fn call() -> Writer {
        Writer::call("RetrieveServiceContent", &service_instance())
    }

    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        soap::one(xml, |xml, _| Self::read_value(xml))
    }

    fn read_value(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (mut about, mut references) = (None, HashMap::new());
        xml.children(|xml, element| {
            if element.name() == "about" {
                about = Some(About::read(xml)?);
            } else if element.attribute("type").is_some() {
                references.insert(element.name().to_owned(), Reference::read(xml, element)?);
            }
            Ok(())
        })?;
        let mut take = |name| references.remove(name).ok_or_else(|| xml.missing(name));
        Ok(Self {
            about: about.ok_or_else(|| xml.missing("about"))?,
            root_folder: take("rootFolder")?,
            property_collector: take("propertyCollector")?,
            view_manager: take("viewManager")?,
            session_manager: take("sessionManager")?,
            task_manager: take("taskManager")?,
            search_index: take("searchIndex")?,
        })
    }

    /// Refuses a server of the same API that is no vCenter.
    pub(super) fn of_vcenter(self) -> Result<Self, Error> {
        match self.about.api_type.as_str() {
            "VirtualCenter" if self.about.instance_uuid.is_empty() || self.about.instance_uuid.len() > LONGEST => {
                Err(Error::NotVcenter("it does not tell its instance's uuid"))
            }
            "VirtualCenter" => Ok(self),
            "HostAgent" => Err(Error::NotVcenter("it is a single ESXi host")),
            _ => Err(Error::NotVcenter("it serves the API, and is of another type")),
        }
    }
}

impl About {
    fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut about = Self::default();
        xml.children(|xml, element| {
            let field = match element.name() {
                "name" => &mut about.name,
                "fullName" => &mut about.full_name,
                "version" => &mut about.version,
                "build" => &mut about.build,
                "apiVersion" => &mut about.api_version,
                "apiType" => &mut about.api_type,
                "vendor" => &mut about.vendor,
                "productLineId" => &mut about.product_line_id,
                "osType" => &mut about.os_type,
                "instanceUuid" => &mut about.instance_uuid,
                _ => return Ok(()),
            };
            *field = xml.text()?.into_string();
            Ok(())
        })?;
        Ok(about)
    }
}
