//! What a store carries: budgets, the log, the resource table and, while sending, the brokers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sandbell_broker::Brokers;
use sandbell_broker::value::{HttpError, PublishError, SmtpError};
use sandbell_domain::{Limits, LogLevel};
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::limits::MemoryLimits;
use crate::log::Log;
use crate::{meter, wasi, wit};

/// Entries of the resource table: streams and pollables (`reference/security.md` §1.4 M5).
const RESOURCES_MAX: usize = 256;
/// Handles of a guest (`reference/security.md` §1.4 M4).
const HANDLES_MAX: usize = 1_000;

/// The data of one store. It lives as long as the attempt.
pub(crate) struct State {
    pub(crate) limits: MemoryLimits,
    pub(crate) log: Arc<Mutex<Log>>,
    cpu_max: Duration,
    host_calls: u32,
    host_calls_max: u32,
    table: ResourceTable,
    /// Made on the first call of WASI: most channels never make one.
    wasi: Option<WasiCtx>,
    /// Present only while `send-notification` runs: nothing else has any power.
    brokers: Option<Brokers>,
}

/// Why the host ended a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("the CPU budget of {0:?} is used up")]
    Cpu(Duration),
    #[error("more than {0} calls to the host")]
    HostCalls(u32),
    #[error("wasi:http was called")]
    WasiHttp,
}

/// What a guest may use while one of its functions runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) cpu: Duration,
    pub(crate) call_bytes_max: usize,
}

impl State {
    pub(crate) fn new(limits: &Limits, level: LogLevel) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        Self {
            limits: MemoryLimits::new(limits.memory_bytes_max, limits.table_elements_max),
            log: Arc::new(Mutex::new(Log::new(level, limits.log_lines_max, limits.log_bytes_max))),
            cpu_max: Duration::ZERO,
            host_calls: 0,
            host_calls_max: limits.host_calls_max,
            table,
            wasi: None,
            brokers: None,
        }
    }

    /// A store whose every entry is interrupted in time, instantiation included.
    pub(crate) fn into_store(self, engine: &Engine, budget: Budget) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|state| &mut state.limits);
        store.set_max_component_handles(HANDLES_MAX);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| context.data_mut().on_tick());
        allow(&mut store, budget);
        store
    }

    /// Called in the guest's own code, once per tick that it runs in.
    fn on_tick(&self) -> wasmtime::Result<UpdateDeadline> {
        if self.host_calls > self.host_calls_max {
            return Err(Stop::HostCalls(self.host_calls_max).into());
        }
        if meter::used() >= self.cpu_max {
            return Err(Stop::Cpu(self.cpu_max).into());
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    }

    pub(crate) fn grant(&mut self, brokers: Brokers) {
        self.brokers = Some(brokers);
    }

    pub(crate) fn host_calls(&self) -> u32 {
        self.host_calls
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call of an import; too many end the guest.
    fn call(&mut self) -> wasmtime::Result<()> {
        self.host_calls = self.host_calls.saturating_add(1);
        if self.host_calls > self.host_calls_max {
            Err(Stop::HostCalls(self.host_calls_max).into())
        } else {
            Ok(())
        }
    }
}

/// Gives a guest what it may use from now on. CPU counts from the start of the attempt.
pub(crate) fn allow(store: &mut Store<State>, budget: Budget) {
    store.set_hostcall_fuel(budget.call_bytes_max);
    store.data_mut().cpu_max = budget.cpu;
}

/// Every function of WASI asks for its view through here, so here is where it is counted. The view cannot refuse; the
/// next tick ends a guest that is over its budget.
impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.host_calls = self.host_calls.saturating_add(1);
        let log = &self.log;
        WasiCtxView { ctx: self.wasi.get_or_insert_with(|| wasi::context(log)), table: &mut self.table }
    }
}

impl State {
    /// As [`WasiView::ctx`], for what needs no context.
    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        self.host_calls = self.host_calls.saturating_add(1);
        &mut self.table
    }
}

impl wit::types::Host for State {}

impl wit::log::Host for State {
    fn write(
        &mut self,
        level: wit::log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        self.call()?;
        self.log().push(wit::level(level), message, fields);
        Ok(())
    }

    fn enabled(&mut self, level: wit::log::Level) -> wasmtime::Result<bool> {
        self.call()?;
        Ok(self.log().is_enabled(wit::level(level)))
    }
}

const NO_POWER: &str =
    "nothing is granted while the plugin describes or configures itself; call this from `send-notification`";

impl wit::http::Host for State {
    async fn send(
        &mut self,
        request: wit::http::Request,
    ) -> wasmtime::Result<Result<wit::http::Response, wit::http::Error>> {
        self.call()?;
        let answer = match &self.brokers {
            Some(brokers) => brokers.http(wit::http_request(request)).await,
            None => Err(http_denied()),
        };
        Ok(wit::http_answer(answer))
    }

    async fn send_all(
        &mut self,
        requests: Vec<wit::http::Request>,
    ) -> wasmtime::Result<Vec<Result<wit::http::Response, wit::http::Error>>> {
        self.call()?;
        let answers = match &self.brokers {
            Some(brokers) => brokers.http_all(requests.into_iter().map(wit::http_request).collect()).await,
            None => requests.iter().map(|_| Err(http_denied())).collect(),
        };
        Ok(answers.into_iter().map(wit::http_answer).collect())
    }

    async fn token(
        &mut self,
        request: wit::http::Request,
        renew: bool,
    ) -> wasmtime::Result<Result<String, wit::http::Error>> {
        self.call()?;
        let answer = match &self.brokers {
            Some(brokers) => brokers.http_token(wit::http_request(request), renew).await,
            None => Err(http_denied()),
        };
        Ok(answer.map_err(wit::http_error))
    }
}

impl wit::smtp::Host for State {
    async fn send(
        &mut self,
        relay: wit::smtp::Relay,
        mail: wit::smtp::Mail,
    ) -> wasmtime::Result<Result<wit::smtp::Accepted, wit::smtp::Error>> {
        self.call()?;
        let answer = match &self.brokers {
            Some(brokers) => brokers.smtp(wit::relay(relay), wit::mail(mail)).await,
            None => Err(SmtpError { code: "denied", reply_code: None, message: NO_POWER.to_owned() }),
        };
        Ok(wit::smtp_answer(answer))
    }
}

impl wit::amqp::Host for State {
    async fn publish(
        &mut self,
        broker: wit::amqp::Broker,
        message: wit::amqp::Message,
    ) -> wasmtime::Result<Result<(), wit::amqp::Error>> {
        self.call()?;
        let answer = match &self.brokers {
            Some(brokers) => brokers.amqp(wit::amqp_broker(broker), wit::amqp_message(message)).await,
            None => Err(publish_denied()),
        };
        Ok(wit::amqp_answer(answer))
    }
}

impl wit::mqtt::Host for State {
    async fn publish(
        &mut self,
        broker: wit::mqtt::Broker,
        message: wit::mqtt::Message,
    ) -> wasmtime::Result<Result<(), wit::mqtt::Error>> {
        self.call()?;
        let answer = match &self.brokers {
            Some(brokers) => brokers.mqtt(wit::mqtt_broker(broker), wit::mqtt_message(message)).await,
            None => Err(publish_denied()),
        };
        Ok(wit::mqtt_answer(answer))
    }
}

fn publish_denied() -> PublishError {
    PublishError { code: "denied", message: NO_POWER.to_owned() }
}

fn http_denied() -> HttpError {
    HttpError { code: "denied", message: NO_POWER.to_owned(), request_sent: false, retry_after: None }
}
