// Who wants to hear of changes: each property collector keeps the set of objects that changed since it last looked.
package main

import "sync"

type hub struct {
	mu         sync.Mutex
	collectors map[*PropertyCollector]string // and their sessions
}

func newHub() *hub {
	return &hub{collectors: map[*PropertyCollector]string{}}
}

func (h *hub) join(pc *PropertyCollector, session string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.collectors[pc] = session
}

func (h *hub) leave(pc *PropertyCollector) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.collectors, pc)
}

// touch tells everybody that objects changed, came or went.
func (h *hub) touch(changed ...ref) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for pc := range h.collectors {
		pc.touched.add(changed)
	}
}

// drop forgets the collectors of sessions that ended.
func (h *hub) drop(alive func(string) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for pc, session := range h.collectors {
		if !alive(session) {
			delete(h.collectors, pc)
		}
	}
}

// marks is a set of changed objects with a bell.
type marks struct {
	mu   sync.Mutex
	set  map[ref]bool
	bell chan struct{}
}

func (m *marks) add(changed []ref) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.set == nil {
		m.set = map[ref]bool{}
	}
	for _, one := range changed {
		m.set[one] = true
	}
	if m.bell != nil {
		close(m.bell)
		m.bell = nil
	}
}

// take empties the set.
func (m *marks) take() map[ref]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	set := m.set
	m.set = nil
	return set
}

// wait gives a channel that closes as soon as the set is not empty.
func (m *marks) wait() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bell == nil {
		m.bell = make(chan struct{})
	}
	bell := m.bell
	if len(m.set) > 0 {
		close(m.bell)
		m.bell = nil
	}
	return bell
}
