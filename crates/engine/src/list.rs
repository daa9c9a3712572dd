//! Lists: the requested page, its objects, and the envelope around them.

use crate::objects::typed;
use crate::payments::bytes;
use crate::{ApiResponse, Context, Engine, Error};
use model::customer::Customer;
use model::id::MerchantId;
use model::limits::PAGE_ROWS_MAX;
use serde_json::Value;
use store::{
    Bounds, CountObjects, Cursor, FindObject, Kind, ListObjects, Listed, Object, ObjectPlace,
    ObjectsOf, Page, StoredObject,
};
use wire::error::Error as ApiError;
use wire::json::JsonWriter;
use wire::list::{PageParams, write_list};

/// The number of objects after which a page of a list with several filters ends, unless it is empty.
const ROWS_READ_MAX: u32 = 1_000;

impl Engine {
    /// The page that a list of objects asks for. The object that a cursor names must exist.
    pub(crate) async fn object_page(
        &self,
        context: &Context,
        kind: Kind,
        page: &PageParams,
    ) -> Result<Page<ObjectPlace>, Error> {
        let (id, param) = match (&page.starting_after, &page.ending_before) {
            (Some(id), _) => (id, "starting_after"),
            (None, Some(id)) => (id, "ending_before"),
            (None, None) => return Ok(Page { limit: page.limit, cursor: Cursor::Newest }),
        };
        // Stripe returns 400 for an unknown cursor, as for any wrong parameter.
        let missing = || Error::from(ApiError::no_such(kind.name(), id, param).status(400));
        let number = kind.parse_number(id).ok_or_else(missing)?;
        let find = FindObject { merchant: context.merchant, kind, number };
        let place = self.store.read(find).await?.ok_or_else(missing)?.place();
        let cursor = if page.starting_after.is_some() {
            Cursor::After(place)
        } else {
            Cursor::Before(place)
        };
        Ok(Page { limit: page.limit, cursor })
    }

    /// The page of a list that `page` asks for.
    pub async fn list<T: StoredObject>(
        &self,
        context: &Context,
        of: ObjectsOf,
        created: Bounds,
        page: &PageParams,
    ) -> Result<Listed<T::Object>, Error> {
        let page = self.object_page(context, T::KIND, page).await?;
        let list = ListObjects { merchant: context.merchant, kind: T::KIND, of, created, page };
        let Listed { items, has_more } = self.store.read(list).await?;
        Ok(Listed { items: items.into_iter().map(typed::<T>).collect(), has_more })
    }

    /// The page that `page` asks for, of the objects that are in all of the lists `of`.
    pub(crate) async fn list_in_all<T: StoredObject>(
        &self,
        context: &Context,
        mut of: Vec<ObjectsOf>,
        created: Bounds,
        page: &PageParams,
    ) -> Result<Listed<T::Object>, Error> {
        if of.len() > 1 {
            return self.list_where::<T>(context, of, created, page, |_| true).await;
        }
        let of = of.pop().unwrap_or(ObjectsOf::All);
        self.list::<T>(context, of, created, page).await
    }

    /// Like [`Engine::list_in_all`], with only the objects that `keep` accepts.
    pub(crate) async fn list_where<T: StoredObject>(
        &self,
        context: &Context,
        mut of: Vec<ObjectsOf>,
        created: Bounds,
        page: &PageParams,
        keep: impl Fn(&T::Object) -> bool + Send + Sync,
    ) -> Result<Listed<T::Object>, Error> {
        let page = self.object_page(context, T::KIND, page).await?;
        let (merchant, kind) = (context.merchant, T::KIND);
        let shortest = self.shortest(merchant, kind, &of).await?;
        let leading = if of.is_empty() { ObjectsOf::All } else { of.swap_remove(shortest) };
        let list = ListObjects { merchant, kind, of: leading, created, page };
        self.read_where::<T>(list, &of, keep).await
    }

    /// The index of the shortest list, or of the first one that is not longer than a slice. Lists
    /// are counted up to [`ROWS_READ_MAX`]. If all are longer, it is the first.
    async fn shortest(
        &self,
        merchant: MerchantId,
        kind: Kind,
        of: &[ObjectsOf],
    ) -> Result<usize, Error> {
        let (mut shortest, mut least) = (0, ROWS_READ_MAX);
        for (index, one) in of.iter().enumerate() {
            if of.len() == 1 || least <= PAGE_ROWS_MAX {
                break;
            }
            let count = CountObjects { merchant, kind, of: one.clone(), limit: least };
            let count = self.store.read(count).await?;
            if count < least {
                (shortest, least) = (index, count);
            }
        }
        Ok(shortest)
    }

    /// The newest objects of a merchant, at most `limit`.
    pub(crate) async fn newest<T: StoredObject>(
        &self,
        merchant: MerchantId,
        of: ObjectsOf,
        limit: u32,
    ) -> Result<Vec<T::Object>, Error> {
        let page = Page { limit, cursor: Cursor::Newest };
        let list = ListObjects { merchant, kind: T::KIND, of, created: Bounds::default(), page };
        let objects = self.store.read(list).await?.items;
        Ok(objects.into_iter().map(typed::<T>).collect())
    }

    /// The newest objects of a merchant that `keep` accepts, at most `limit`.
    pub(crate) async fn newest_where<T: StoredObject>(
        &self,
        merchant: MerchantId,
        of: ObjectsOf,
        limit: u32,
        keep: impl Fn(&T::Object) -> bool + Send + Sync,
    ) -> Result<Vec<T::Object>, Error> {
        let page = Page { limit, cursor: Cursor::Newest };
        let list = ListObjects { merchant, kind: T::KIND, of, created: Bounds::default(), page };
        Ok(self.read_where::<T>(list, &[], keep).await?.items)
    }

    /// A page of all objects of a kind, each as `body` renders it.
    pub(crate) async fn list_all<T: StoredObject>(
        &self,
        context: &Context,
        created: Bounds,
        page: &PageParams,
        url: &str,
        body: impl Fn(&T::Object) -> Vec<u8>,
    ) -> Result<ApiResponse, Error> {
        let listed = self.list::<T>(context, ObjectsOf::All, created, page).await?;
        let bodies: Vec<Vec<u8>> = listed.items.iter().map(body).collect();
        self.unchanged(context, list_body(url, listed.has_more, &bodies)).await
    }

    /// The response of a list, with the requested expansions. `value` renders an item.
    pub(crate) async fn list_values<T>(
        &self,
        context: &Context,
        url: &str,
        listed: Listed<T>,
        value: impl Fn(&T) -> Value,
    ) -> Result<ApiResponse, Error> {
        let bodies: Vec<Vec<u8>> =
            listed.items.iter().map(|item| bytes(context, value(item))).collect();
        self.unchanged(context, list_body(url, listed.has_more, &bodies)).await
    }

    /// The page of a list, with only the objects that are in all of the `others` and that `keep`
    /// accepts. It reads the list in slices. After [`ROWS_READ_MAX`] objects a page that is not empty
    /// ends short of its limit, because the client can continue after its last object. An empty
    /// page has no object to continue after, so it reads on until the first match, in the pool of
    /// long reads.
    async fn read_where<T: StoredObject>(
        &self,
        mut list: ListObjects,
        others: &[ObjectsOf],
        keep: impl Fn(&T::Object) -> bool + Send + Sync,
    ) -> Result<Listed<T::Object>, Error> {
        let wanted = list.page.limit as usize;
        let backward = matches!(list.page.cursor, Cursor::Before(_));
        list.page.limit = (list.page.limit + 1).min(PAGE_ROWS_MAX);
        let mut listed = Listed { items: Vec::new(), has_more: true };
        let mut rows_read = 0;
        while listed.items.len() <= wanted && (rows_read < ROWS_READ_MAX || listed.items.is_empty())
        {
            let mut read = if rows_read < ROWS_READ_MAX {
                self.store.read(list.clone()).await?
            } else {
                self.store.read_long(list.clone()).await?
            };
            rows_read += list.page.limit;
            list.page.limit = PAGE_ROWS_MAX;
            // Reads run on this thread, so other calls get a turn between two of them.
            tokio::task::yield_now().await;
            if backward {
                read.items.reverse();
            }
            let end = read.items.last().map(Object::place);
            let fitting = read.items.into_iter();
            let fitting = fitting.filter(|object| others.iter().all(|of| of.has(object)));
            listed.items.extend(fitting.map(typed::<T>).filter(&keep));
            list.page.cursor = match end.filter(|_| read.has_more) {
                Some(place) if backward => Cursor::Before(place),
                Some(place) => Cursor::After(place),
                None => {
                    listed.has_more = listed.items.len() > wanted;
                    break;
                }
            };
        }
        listed.items.truncate(wanted);
        if backward {
            listed.items.reverse();
        }
        Ok(listed)
    }

    /// The objects of a customer, if a list names one.
    pub(crate) async fn of_customer(
        &self,
        context: &Context,
        customer: Option<&str>,
    ) -> Result<Option<ObjectsOf>, Error> {
        let Some(id) = customer else { return Ok(None) };
        let customer = self.get_with_deleted::<Customer>(context, id, "customer").await?;
        Ok(Some(ObjectsOf::Customer(customer.id)))
    }
}

/// The page of a list of objects that is read whole, in its order. The boolean is true if there are
/// more items.
pub(crate) fn page_of<'a>(
    items: &'a [Value],
    page: &PageParams,
    what: &str,
) -> Result<(&'a [Value], bool), Error> {
    page_by_id(items, |item, id| item["id"] == id, page, what)
}

/// The same for items of any type. `has_id` is true if an item has the id.
pub(crate) fn page_by_id<'a, T>(
    items: &'a [T],
    has_id: impl Fn(&T, &str) -> bool,
    page: &PageParams,
    what: &str,
) -> Result<(&'a [T], bool), Error> {
    let place = |id: &str, param: &str| {
        let found = items.iter().position(|item| has_id(item, id));
        found.ok_or_else(|| Error::from(ApiError::no_such(what, id, param).status(400)))
    };
    let limit = page.limit as usize;
    if let (None, Some(id)) = (&page.starting_after, &page.ending_before) {
        let to = place(id, "ending_before")?;
        let from = to.saturating_sub(limit);
        return Ok((&items[from..to], from > 0));
    }
    let from = match &page.starting_after {
        Some(id) => place(id, "starting_after")? + 1,
        None => 0,
    };
    let to = items.len().min(from.saturating_add(limit));
    Ok((&items[from..to], to < items.len()))
}

/// A list envelope around items that are rendered already.
pub fn list_body(url: &str, has_more: bool, items: &[Vec<u8>]) -> Vec<u8> {
    let bytes = items.iter().map(Vec::len).sum::<usize>() + 256;
    let mut writer = JsonWriter::with_capacity(bytes);
    write_list(&mut writer, url, has_more, items, |w, item| {
        w.raw(item);
    });
    writer.into_bytes()
}
