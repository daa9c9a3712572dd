//! The list of addresses in construction.

use super::app::App;
use super::call::{self, Call, Handler, Outcome, Pending, Route};
use super::cors;
use super::head::read_version;
use super::payments::empty_list;
use super::router::wrong_method;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::routing::{MethodFilter, any, on};
use std::sync::Arc;
use wire::change::Change;
use wire::error::Error;

/// The list in construction.
pub(super) struct Routes(Router<Arc<App>>);

impl Routes {
    pub(super) fn new() -> Self {
        Self(Router::new())
    }

    pub(super) fn get<F>(self, pattern: &'static str, handler: fn(Call) -> F) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.add(MethodFilter::GET, pattern, false, boxed(handler))
    }

    pub(super) fn post<F>(self, pattern: &'static str, handler: fn(Call) -> F) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.add(MethodFilter::POST, pattern, false, boxed(handler))
    }

    pub(super) fn delete<F>(self, pattern: &'static str, handler: fn(Call) -> F) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.add(MethodFilter::DELETE, pattern, false, boxed(handler))
    }

    /// Adds a POST that a publishable key may make, too.
    pub(super) fn client_post<F>(self, pattern: &'static str, handler: fn(Call) -> F) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.add(MethodFilter::POST, pattern, true, boxed(handler))
    }

    /// Adds a GET that a publishable key may make, too.
    pub(super) fn client_get<F>(self, pattern: &'static str, handler: fn(Call) -> F) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.add(MethodFilter::GET, pattern, true, boxed(handler))
    }

    /// Adds a GET that only previews with a change have. In other versions the address does not exist
    /// for any method.
    pub(super) fn get_in_preview<F>(
        self,
        pattern: &'static str,
        change: &'static Change,
        handler: fn(Call) -> F,
    ) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let route = Arc::new(Route { pattern, publishable: false, handler: boxed(handler) });
        let handle_call = move |State(app): State<Arc<App>>, request: Request| {
            let route = Arc::clone(&route);
            async move {
                let version = match read_version(request.headers()) {
                    Ok(version) => version,
                    Err(invalid) => return call::reject(&app, request, "unknown", |_, _| invalid),
                };
                if !version.has(change) {
                    call::reject(&app, request, "unknown", Error::preview_url)
                } else if request.method() == Method::GET || request.method() == Method::HEAD {
                    call::handle(app, route, request).await
                } else {
                    wrong_method(State(app), request).await
                }
            }
        };
        Self(self.0.route(pattern, any(handle_call)))
    }

    /// Adds a GET of a collection without objects.
    pub(super) fn empty(self, pattern: &'static str) -> Self {
        self.add(MethodFilter::GET, pattern, false, empty_list::handler(pattern))
    }

    fn add(
        self,
        methods: MethodFilter,
        pattern: &'static str,
        publishable: bool,
        handler: Handler,
    ) -> Self {
        let route = Arc::new(Route { pattern, publishable, handler });
        let handle_call = move |State(app): State<Arc<App>>, request: Request| {
            call::handle(app, Arc::clone(&route), request)
        };
        let methods = on(methods, handle_call);
        let methods =
            if publishable { methods.on(MethodFilter::OPTIONS, cors::preflight) } else { methods };
        Self(self.0.route(pattern, methods))
    }

    pub(super) fn router(self) -> Router<Arc<App>> {
        self.0
    }
}

/// Boxes a handler, so that the code that all calls share is compiled once.
fn boxed<F>(handler: fn(Call) -> F) -> Handler
where
    F: Future<Output = Outcome> + Send + 'static,
{
    Box::new(move |call| -> Pending { Box::pin(handler(call)) })
}
