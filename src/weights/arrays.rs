//! A module's parameters by name, outside any device.

use std::collections::BTreeMap;

use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, TensorData};
use half::f16;

use super::{WeightsError, eight_bits};
use crate::ops::Keep;

/// A tensor's shape and its values, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Parameters under the path of their fields, joined by dots.
pub type Arrays = BTreeMap<String, Array>;

/// A parameter that is still on its device.
pub(super) struct Parameter {
    pub shape: Vec<usize>,
    /// Copies the values from the device, row by row.
    pub read: Box<dyn Fn() -> Vec<f32>>,
}

/// Every parameter of a module, none of them read yet.
pub(super) fn parameters_of<M: Module>(module: &M) -> BTreeMap<String, Parameter> {
    let mut collector = Collector { path: Path::default(), parameters: BTreeMap::new() };
    module.visit(&mut collector);
    collector.parameters
}

/// Reads every parameter of a module back from its device (native only: a browser cannot wait).
pub fn arrays_of<M: Module>(module: &M) -> Arrays {
    let read = |(name, Parameter { shape, read })| (name, Array { shape, values: read() });
    parameters_of(module).into_iter().map(read).collect()
}

/// Gives every parameter of a module its value.
///
/// # Errors
/// If a parameter has no array or one of another shape, or an array no parameter.
pub fn fill<M: Module>(module: M, mut arrays: Arrays) -> Result<M, WeightsError> {
    let module = fill_from(module, Keep::Single, |name| match arrays.remove(name) {
        Some(array) => Ok(Some(array)),
        None => Err(WeightsError::Missing(name.into())),
    })?;
    match arrays.into_keys().next() {
        Some(unused) => Err(WeightsError::Unused(unused)),
        None => Ok(module),
    }
}

/// Asks `source` for the value of each parameter, one at a time, by its name; where it has none, the parameter stays. With
/// [`Keep::Half`], those that half precision can tell exactly are kept so, if they go where it is read.
///
/// # Errors
/// The first that `source` gives, or if a value has another shape than its parameter.
pub(super) fn fill_from<M: Module>(
    module: M,
    keep: Keep,
    mut source: impl FnMut(&str) -> Result<Option<Array>, WeightsError>,
) -> Result<M, WeightsError> {
    let mut filler = Filler { path: Path::default(), keep, source: &mut source, error: None };
    let module = module.map(&mut filler);
    match filler.error {
        Some(error) => Err(error),
        None => Ok(module),
    }
}

/// Where in a module a visitor is. The variants of an enum are no part of a name: they follow from the header.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.push(name.to_string());
        }
    }

    fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.pop();
        }
    }

    fn name(&self) -> String {
        self.0.join(".")
    }
}

struct Collector {
    path: Path,
    parameters: BTreeMap<String, Parameter>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let read = Box::new(move || tensor.clone().into_data().iter::<f32>().collect());
        self.parameters.insert(self.path.name(), Parameter { shape, read });
    }
}

/// Whether half precision can tell a parameter exactly, and what it belongs to reads that: a backbone's convolutions, which
/// are nearly all of a network, but for those over each channel by itself. What has few values is not worth a shader of its
/// own.
fn suits_halves(name: &str, array: &Array) -> bool {
    let over_channels = matches!(array.shape[..], [_, channels, _, _] if channels > 1);
    let exact = |&value: &f32| f16::from_f32(value).to_f32() == value;
    name.starts_with("backbone.") && over_channels && eight_bits::suits(&array.shape) && array.values.iter().all(exact)
}

struct Filler<'a> {
    path: Path,
    keep: Keep,
    source: &'a mut dyn FnMut(&str) -> Result<Option<Array>, WeightsError>,
    error: Option<WeightsError>,
}

impl Filler<'_> {
    /// A parameter on its device.
    fn placed<const D: usize>(&self, name: &str, array: Array, device: &Device) -> Tensor<D> {
        let keep = match self.keep {
            Keep::Half if suits_halves(name, &array) => Keep::Half,
            _ => Keep::Single,
        };
        let data = (TensorData::new(array.values, array.shape), device.clone());
        let place = |(data, device): (_, Device)| Tensor::from_data(data, (&device, keep.dtype()));
        match self.keep {
            Keep::Single => place(data),
            // A network to segment with stays as it is: it has room of its own, apart from what comes and goes.
            Keep::Half => device.memory_persistent_allocations(data, place),
        }
    }
}

impl ModuleMapper for Filler<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        let name = self.path.name();
        let expected = param.lazy_shape().to_vec();
        match (self.source)(&name) {
            Ok(Some(array)) if array.shape == expected => {
                let (id, tensor) = (param.id, self.placed(&name, array, &param.lazy_device()));
                return param.transform_for_load(tensor, id);
            }
            Ok(Some(Array { shape: found, .. })) => self.error = Some(WeightsError::Shape { name, expected, found }),
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
        param
    }
}
