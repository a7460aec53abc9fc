//! What a client asks of a list.

use utoipa::IntoParams;

use super::super::query::{QueryString, Wrong, wrong};
use super::ALL;
use crate::vsphere::Reference;

/// A list as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VsphereListRequest {
    /// Of which vCenter.
    pub vcenter: String,
    /// With this text.
    pub text: Option<String>,
    /// On this object, and what lies under it.
    pub reference: Option<String>,
    /// From 0.
    pub page: u64,
    /// Rows of a page.
    pub size: u64,
}

/// The parameters of the recent ones, for the description.
#[expect(dead_code, reason = "described here, read by `VsphereListRequest::parse`")]
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VsphereRecentParameters {
    /// The vCenter's `uuid`.
    #[param(example = "e0fd06e7-b891-4fca-ad56-e36981bee2a3")]
    vsphere_uuid: String,
    /// Not needed.
    cluster_uuid: Option<String>,
    /// A part of the name, the target or the user, in any case of its letters.
    filter_name: Option<String>,
    /// From 0.
    #[param(minimum = 0)]
    page_num: Option<i64>,
    /// 0 or less: all, but 10,000 at the most.
    page_size: Option<i64>,
    /// Only on this object, and on what lies under it.
    #[param(example = "Datacenter:datacenter-2", pattern = "^[A-Za-z]+:.+$")]
    reference: Option<String>,
}

/// The parameters of all, for the description.
#[expect(dead_code, reason = "described here, read by `VsphereListRequest::parse`")]
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VsphereRootParameters {
    /// The vCenter's `uuid`.
    #[param(example = "e0fd06e7-b891-4fca-ad56-e36981bee2a3")]
    vsphere_uuid: String,
    /// Not needed.
    cluster_uuid: Option<String>,
    /// A part of the name, the target or the user, in any case of its letters.
    filter_name: Option<String>,
    /// From 0.
    #[param(minimum = 0)]
    page_num: Option<i64>,
    /// 0 or less: all, but 10,000 at the most.
    page_size: Option<i64>,
}

/// The parameters of an object's, for the description.
#[expect(dead_code, reason = "described here, read by `VsphereListRequest::parse`")]
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VsphereResourceParameters {
    /// The vCenter's `uuid`.
    #[param(example = "e0fd06e7-b891-4fca-ad56-e36981bee2a3")]
    vsphere_uuid: String,
    /// Not needed.
    cluster_uuid: Option<String>,
    /// A part of the name, the target or the user, in any case of its letters.
    filter_name: Option<String>,
    /// From 0.
    #[param(minimum = 0)]
    page_num: Option<i64>,
    /// 0 or less: all, but 10,000 at the most.
    page_size: Option<i64>,
    /// The object.
    #[param(example = "VirtualMachine:vm-119", pattern = "^[A-Za-z]+:.+$")]
    reference: String,
}

impl VsphereListRequest {
    /// Reads a query; names that nobody knows are passed over.
    ///
    /// # Errors
    /// When a parameter is missing or cannot be meant so.
    pub fn parse(raw: Option<&str>, on_object: bool) -> Result<Self, Wrong> {
        let query = QueryString::parse(raw)?;
        let missing = |name| wrong(name, "", ("it is missing", "缺少该参数"));
        let reference = match query.one("reference")? {
            Some(text) => Some(Reference::parse(text).map_err(|error| {
                wrong("reference", text, (error.to_string(), "应为 类型:值，例如 VirtualMachine:vm-119"))
            })?),
            None if on_object => return Err(missing("reference")),
            None => None,
        };
        let (page, size) = (query.number("page_num")?.unwrap_or(0), query.number("page_size")?.unwrap_or(0));
        let page: u64 = i64::try_into(page)
            .map_err(|_| wrong("page_num", &page.to_string(), ("pages are counted from 0", "页码从 0 开始")))?;
        let size: i64 = size;
        Ok(Self {
            vcenter: query.one("vsphere_uuid")?.ok_or_else(|| missing("vsphere_uuid"))?.to_owned(),
            text: query.one("filter_name")?.map(str::to_owned),
            reference: reference.map(|reference| reference.to_string()),
            page,
            size: if size > 0 { size.unsigned_abs().min(ALL) } else { ALL },
        })
    }

    /// How many rows lie before the page, and how many are in it.
    #[must_use]
    pub fn part(&self) -> (u64, u64) {
        // Databases count in 63 bits; there are fewer rows than that.
        (self.page.saturating_mul(self.size).min(i64::MAX.unsigned_abs()), self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_counted_from_zero_and_all_is_many() {
        let of = |query: &str| VsphereListRequest::parse(Some(query), false).unwrap().part();
        assert_eq!(of("vsphere_uuid=a"), (0, 10_000));
        assert_eq!(of("vsphere_uuid=a&page_num=3&page_size=10"), (30, 10));
        assert_eq!(of("vsphere_uuid=a&page_num=1&page_size=-1"), (10_000, 10_000));
        assert_eq!(of("vsphere_uuid=a&page_num=9223372036854775807&page_size=50").1, 50);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let wrong = |query: &str, on_object| VsphereListRequest::parse(Some(query), on_object).unwrap_err().name;
        assert_eq!(wrong("", false), "vsphere_uuid");
        assert_eq!(wrong("vsphere_uuid=a", true), "reference");
        assert_eq!(wrong("vsphere_uuid=a&reference=vm-1", false), "reference");
        assert_eq!(wrong("vsphere_uuid=a&page_num=-1", false), "page_num");
        assert_eq!(wrong("vsphere_uuid=a&page_size=x", false), "page_size");
    }
}
