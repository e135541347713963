use std::{
    borrow::Cow,
    cell::{Cell, Ref, RefCell},
};

use html5ever::{
    Attribute, QualName,
    tendril::StrTendril,
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
};
use scraper::{Html, HtmlTreeSink};

/// scraper's sink with a meter on it.
///
/// The tree builder walks its stack of open elements by asking the sink for names and for equality, so the number of questions is the work it does,
/// and what a page makes it do beyond reason shows here.
pub(super) struct MeteredSink {
    inner: HtmlTreeSink,
    /// Questions asked and things made.
    steps: Cell<u64>,
    /// Nodes and attributes in the tree.
    size: Cell<usize>,
    /// Depth in the tree by [`Handle::at`].
    depths: RefCell<Vec<usize>>,
    /// Depth of the place at which the builder last worked.
    depth: Cell<usize>,
    /// Whether text came last, so that more of it makes no node.
    is_in_text: Cell<bool>,
}

type Id = <HtmlTreeSink as TreeSink>::Handle;

/// A node and the place of its depth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handle {
    id: Id,
    at: usize,
}

impl MeteredSink {
    pub(super) fn new() -> Self {
        Self {
            inner: HtmlTreeSink::new(Html::new_document()),
            steps: Cell::default(),
            size: Cell::default(),
            depths: RefCell::new(vec![0]),
            depth: Cell::default(),
            is_in_text: Cell::default(),
        }
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps.get()
    }

    pub(super) fn size(&self) -> usize {
        self.size.get()
    }

    pub(super) fn depth(&self) -> usize {
        self.depth.get()
    }

    /// Counts work that the sink does not see.
    pub(super) fn count(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_add(steps as u64));
    }

    fn depth_of(&self, node: Handle) -> usize {
        self.depths.borrow().get(node.at).copied().unwrap_or_default()
    }

    fn new_handle(&self, id: Id, depth: usize) -> Handle {
        let mut depths = self.depths.borrow_mut();
        depths.push(depth);
        Handle { id, at: depths.len() - 1 }
    }

    /// Notes where a child goes, and gives it in the inner sink's terms.
    fn place(&self, child: NodeOrText<Handle>, depth: usize) -> NodeOrText<Id> {
        self.count(1);
        match child {
            NodeOrText::AppendNode(node) => {
                if let Some(place) = self.depths.borrow_mut().get_mut(node.at) {
                    *place = depth;
                }
                self.depth.set(depth);
                self.is_in_text.set(false);
                NodeOrText::AppendNode(node.id)
            }
            NodeOrText::AppendText(text) => {
                self.size.set(self.size.get() + usize::from(!self.is_in_text.replace(true)));
                NodeOrText::AppendText(text)
            }
        }
    }
}

impl TreeSink for MeteredSink {
    type Handle = Handle;
    type Output = Html;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Html {
        self.inner.finish()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle { id: self.inner.get_document(), at: 0 }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> Ref<'a, QualName> {
        self.count(1);
        self.inner.elem_name(&target.id)
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> Handle {
        self.count(1 + attrs.len());
        self.size.set(self.size.get() + 1 + attrs.len());
        let id = self.inner.create_element(name, attrs, flags);
        self.new_handle(id, 0)
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        self.size.set(self.size.get() + 1);
        let id = self.inner.create_comment(text);
        self.new_handle(id, 0)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Handle {
        self.size.set(self.size.get() + 1);
        let id = self.inner.create_pi(target, data);
        self.new_handle(id, 0)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let child = self.place(child, self.depth_of(*parent) + 1);
        self.inner.append(&parent.id, child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, prev_element: &Handle, child: NodeOrText<Handle>) {
        // Whichever of the two places it is, the depth must not be told too small.
        let depth = self.depth_of(*element).max(self.depth_of(*prev_element) + 1);
        let child = self.place(child, depth);
        self.inner.append_based_on_parent_node(&element.id, &prev_element.id, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public_id: StrTendril, system_id: StrTendril) {
        self.inner.append_doctype_to_document(name, public_id, system_id);
    }

    fn pop(&self, node: &Handle) {
        self.count(1);
        self.depth.set(self.depth_of(*node).saturating_sub(1));
        self.is_in_text.set(false);
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        self.count(1);
        let id = self.inner.get_template_contents(&target.id);
        self.new_handle(id, self.depth_of(*target) + 1)
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        self.count(1);
        x.id == y.id
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.inner.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &Handle, new_node: NodeOrText<Handle>) {
        let child = self.place(new_node, self.depth_of(*sibling));
        self.inner.append_before_sibling(&sibling.id, child);
    }

    fn add_attrs_if_missing(&self, target: &Handle, attrs: Vec<Attribute>) {
        self.size.set(self.size.get() + attrs.len());
        self.inner.add_attrs_if_missing(&target.id, attrs);
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.inner.remove_from_parent(&target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        self.count(1);
        self.inner.reparent_children(&node.id, &new_parent.id);
    }
}
