//! Results, back from the device that has them.

use burn::Tensor;

/// Why there is no result: the device was lost, most often.
#[derive(Debug, thiserror::Error)]
#[error("the device did not return its result ({0})")]
pub struct NotReturned(pub(crate) String);

/// The values of a tensor, row by row. A browser cannot wait, so this is a promise.
///
/// # Errors
/// If the device does not return them.
pub(crate) async fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, NotReturned> {
    let data = tensor.into_data_async().await.map_err(|error| NotReturned(format!("{error:?}")))?;
    data.convert::<f32>().try_into_vec().map_err(|error| NotReturned(format!("{error:?}")))
}
