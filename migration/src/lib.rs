//! The history of the schema, one concern a file, each with its way back. It knows nothing of `entity`: an old
//! migration must keep its meaning when the entities move on.

use sea_orm_migration::prelude::*;

mod m0001_people;
mod m0002_tasks;
mod m0003_running;
mod m0004_events_and_logs;
mod m0005_queue;
mod m0006_target;
mod m0007_secrets;
mod m0008_results;
mod m0009_old_clients;
mod m0010_access_keys;
mod m0011_vsphere;
mod m0012_one_task;
mod m0013_renewals;
mod m0014_removal;
mod m0015_long_columns;
mod m0016_from_state;
mod m0017_folded;
mod m0018_audit_address;
mod m0019_pulse;
mod m0020_audit_token;
mod m0021_token_allowance;
mod m0022_isolation;
mod table;

/// Every migration, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_people::Migration),
            Box::new(m0002_tasks::Migration),
            Box::new(m0003_running::Migration),
            Box::new(m0004_events_and_logs::Migration),
            Box::new(m0005_queue::Migration),
            Box::new(m0006_target::Migration),
            Box::new(m0007_secrets::Migration),
            Box::new(m0008_results::Migration),
            Box::new(m0009_old_clients::Migration),
            Box::new(m0010_access_keys::Migration),
            Box::new(m0011_vsphere::Migration),
            Box::new(m0012_one_task::Migration),
            Box::new(m0013_renewals::Migration),
            Box::new(m0014_removal::Migration),
            Box::new(m0015_long_columns::Migration),
            Box::new(m0016_from_state::Migration),
            Box::new(m0017_folded::Migration),
            Box::new(m0018_audit_address::Migration),
            Box::new(m0019_pulse::Migration),
            Box::new(m0020_audit_token::Migration),
            Box::new(m0021_token_allowance::Migration),
            Box::new(m0022_isolation::Migration),
        ]
    }
}
