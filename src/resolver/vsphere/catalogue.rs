//! The catalogue shipped here: what the usual operations are called where a vCenter does not tell. Four of the Chinese
//! labels are those of a real vCenter (`VirtualMachine.reconfigure`, `vm.Snapshot.revert`, `vm.Snapshot.remove`,
//! `com.vmware.vcIntegrity.CheckNotificationTask`); the others are words of ours.

use crate::error::Language;

/// What an operation is called.
#[must_use]
pub fn find(id: &str, language: Language) -> Option<&'static str> {
    all(language).find(|(known, _)| *known == id).map(|(_, label)| label)
}

/// Every operation with its label.
pub fn all(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    LABELS.iter().map(move |(id, en, zh)| {
        let label = match language {
            Language::En => *en,
            Language::Zh => *zh,
        };
        (*id, label)
    })
}

const LABELS: &[(&str, &str, &str)] = &[
    ("VirtualMachine.powerOn", "Power On virtual machine", "打开虚拟机电源"),
    ("VirtualMachine.powerOff", "Power Off virtual machine", "关闭虚拟机电源"),
    ("VirtualMachine.suspend", "Suspend virtual machine", "挂起虚拟机"),
    ("VirtualMachine.reset", "Reset virtual machine", "重置虚拟机"),
    ("VirtualMachine.shutdownGuest", "Initiate guest OS shutdown", "启动客户机操作系统关机"),
    ("VirtualMachine.rebootGuest", "Initiate guest OS reboot", "启动客户机操作系统重新引导"),
    ("VirtualMachine.standbyGuest", "Initiate guest OS standby", "启动客户机操作系统待机"),
    ("VirtualMachine.reconfigure", "Reconfigure virtual machine", "重新配置虚拟机"),
    ("VirtualMachine.createSnapshot", "Create virtual machine snapshot", "创建虚拟机快照"),
    ("VirtualMachine.removeAllSnapshots", "Remove all snapshots", "移除所有快照"),
    ("VirtualMachine.revertToCurrentSnapshot", "Revert to current snapshot", "恢复到当前快照"),
    ("VirtualMachine.consolidateDisks", "Consolidate virtual machine disk files", "整合虚拟机磁盘文件"),
    ("VirtualMachine.clone", "Clone virtual machine", "克隆虚拟机"),
    ("VirtualMachine.migrate", "Migrate virtual machine", "迁移虚拟机"),
    ("VirtualMachine.relocate", "Relocate virtual machine", "重新放置虚拟机"),
    ("VirtualMachine.destroy", "Delete virtual machine", "删除虚拟机"),
    ("VirtualMachine.unregister", "Unregister virtual machine", "取消注册虚拟机"),
    ("VirtualMachine.markAsTemplate", "Mark virtual machine as template", "将虚拟机标记为模板"),
    ("VirtualMachine.markAsVirtualMachine", "Mark template as virtual machine", "将模板标记为虚拟机"),
    ("VirtualMachine.upgradeVirtualHardware", "Upgrade virtual hardware", "升级虚拟硬件"),
    ("VirtualMachine.mountToolsInstaller", "Mount VMware Tools installer", "挂载 VMware Tools 安装程序"),
    ("VirtualMachine.upgradeTools", "Upgrade VMware Tools", "升级 VMware Tools"),
    ("VirtualMachine.customize", "Customize virtual machine guest OS", "自定义虚拟机客户机操作系统"),
    ("VirtualMachine.rename", "Rename virtual machine", "重命名虚拟机"),
    ("vm.Snapshot.revert", "Revert snapshot", "恢复快照"),
    ("vm.Snapshot.remove", "Remove snapshot", "移除快照"),
    ("vm.Snapshot.rename", "Rename snapshot", "重命名快照"),
    ("Folder.createVm", "Create virtual machine", "创建虚拟机"),
    ("Folder.registerVm", "Register virtual machine", "注册虚拟机"),
    ("Folder.createFolder", "Create folder", "创建文件夹"),
    ("Folder.createDatacenter", "Create datacenter", "创建数据中心"),
    ("Folder.createCluster", "Create cluster", "创建集群"),
    ("Folder.addStandaloneHost", "Add standalone host", "添加独立主机"),
    ("Folder.moveInto", "Move entities", "移动实体"),
    ("Folder.createDistributedVirtualSwitch", "Create a vSphere Distributed Switch", "创建 vSphere Distributed Switch"),
    ("ResourcePool.importVApp", "Deploy OVF template", "部署 OVF 模板"),
    ("ManagedEntity.destroy", "Delete entity", "删除实体"),
    ("ManagedEntity.rename", "Rename entity", "重命名实体"),
    ("Datacenter.queryConnectionInfo", "Query host connection information", "查询主机连接信息"),
    ("ClusterComputeResource.addHost", "Add host", "添加主机"),
    ("ComputeResource.reconfigureEx", "Reconfigure cluster", "重新配置集群"),
    ("HostSystem.enterMaintenanceMode", "Enter maintenance mode", "进入维护模式"),
    ("HostSystem.exitMaintenanceMode", "Exit maintenance mode", "退出维护模式"),
    ("HostSystem.reconnect", "Reconnect host", "重新连接主机"),
    ("HostSystem.disconnect", "Disconnect host", "断开主机连接"),
    ("HostSystem.reboot", "Initiate host reboot", "启动主机重新引导"),
    ("HostSystem.shutdown", "Initiate host shutdown", "启动主机关机"),
    ("host.DatastoreSystem.createVmfsDatastore", "Create VMFS datastore", "创建 VMFS 数据存储"),
    ("host.DatastoreSystem.createNasDatastore", "Create NAS datastore", "创建 NAS 数据存储"),
    ("host.DatastoreSystem.removeDatastore", "Remove datastore", "移除数据存储"),
    ("host.StorageSystem.rescanAllHba", "Rescan all HBAs", "重新扫描所有 HBA"),
    ("host.StorageSystem.rescanVmfs", "Rescan VMFS", "重新扫描 VMFS"),
    ("host.StorageSystem.refresh", "Refresh storage system", "刷新存储系统"),
    ("host.NetworkSystem.updateNetworkConfig", "Update network configuration", "更新网络配置"),
    ("host.VMotionSystem.selectVnic", "Select vMotion network interface", "选择 vMotion 网络接口"),
    ("host.FirewallSystem.refresh", "Refresh firewall configuration", "刷新防火墙配置"),
    ("FileManager.deleteDatastoreFile", "Delete file", "删除文件"),
    ("FileManager.moveDatastoreFile", "Move file", "移动文件"),
    ("FileManager.copyDatastoreFile", "Copy file", "复制文件"),
    ("VirtualDiskManager.createVirtualDisk", "Create virtual disk", "创建虚拟磁盘"),
    ("VirtualDiskManager.deleteVirtualDisk", "Delete virtual disk", "删除虚拟磁盘"),
    ("VirtualDiskManager.copyVirtualDisk", "Copy virtual disk", "复制虚拟磁盘"),
    ("Drm.ExecuteVMotionLRO", "Migrate virtual machine (DRS)", "迁移虚拟机 (DRS)"),
    ("Drm.ExecuteVmPowerOnLRO", "Power On virtual machine (DRS)", "打开虚拟机电源 (DRS)"),
    ("com.vmware.vcIntegrity.CheckNotificationTask", "Check new notifications", "检查新通知"),
    ("com.vmware.vcIntegrity.SigUpdateTask", "Download patch definitions", "下载修补程序定义"),
    ("com.vmware.vcIntegrity.ScanTask", "Scan entity", "扫描实体"),
];
