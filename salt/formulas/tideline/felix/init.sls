{% from 'tideline/component.jinja' import component with context -%}
{{ component('felix') }}
